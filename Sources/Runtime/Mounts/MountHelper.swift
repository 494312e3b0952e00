public import Linux
public import OCI

/// The program that serves union mounts: `strata-fuse`, or another one with the same option syntax.
public struct MountHelper: Hashable, Sendable {
    /// The program's path.
    public let path: String
    /// How unions keep their notes in the directories that are mounted; nil for a stack that is not a store's.
    var marks: OverlayMarks?

    /// Takes a program by its path.
    public init(path: String) { self.path = path }

    /// The name of Strata's own helper.
    public static let name = "strata-fuse"

    /// Finds the helper by an environment: what `STRATA_FUSE` names, else `strata-fuse` next to the running program,
    /// else in `PATH`. `helperMissing` where there is none.
    public static func find(in environment: ProcessEnvironment) throws(RuntimeError) -> MountHelper {
        if let named = environment.nonEmpty("STRATA_FUSE") {
            guard let path = Executables.find(named, in: environment) else {
                throw RuntimeError(
                    .helperMissing, "STRATA_FUSE names \(named), which is not a program",
                    remedy: "unset it or set it to the path of \(name)")
            }
            return MountHelper(path: path)
        }
        if let executable = Executables.current(), let slash = executable.lastIndex(of: "/") {
            let neighbour = executable[...slash] + name
            if Executables.isExecutable(String(neighbour)) { return MountHelper(path: String(neighbour)) }
        }
        if let path = Executables.find(name, in: environment) { return MountHelper(path: path) }
        throw RuntimeError(
            .helperMissing, "cannot find \(name), which serves the mounts",
            remedy: "put it next to strata or into PATH, or set STRATA_FUSE to its path")
    }

    /// What the program is told of notes: those of the store's unions alone count.
    var options: [String] {
        switch marks {
        case .trusted: ["foreign_marks=off"]
        case .user: ["foreign_marks=off", "userxattr"]
        case nil: []
        }
    }

    /// The value of the `-o` option for a stack of directories.
    ///
    /// - Parameters:
    ///   - lowers: the lower directories, the top one first; at least one.
    ///   - upper: the directory that takes the writes, with `work` on the same file system; nil mounts read-only.
    ///   - options: further options as the helper takes them.
    static func optionValue(lowers: [String], upper: String?, work: String?, options: [String]) -> String {
        var parts = ["lowerdir=" + lowers.map { escaped($0, colons: true) }.joined(separator: ":")]
        if let upper { parts.append("upperdir=" + escaped(upper, colons: false)) }
        if let work { parts.append("workdir=" + escaped(work, colons: false)) }
        return (parts + options).joined(separator: ",")
    }

    /// Protects the characters that have a meaning in mount options.
    static func escaped(_ path: String, colons: Bool) -> String {
        var result = ""
        for character in path {
            if "\\,\"".contains(character) || (colons && character == ":") { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
