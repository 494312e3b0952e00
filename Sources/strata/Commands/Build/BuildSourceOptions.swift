import ArgumentParser
import BuildEngine
import Linux
import Rendering

/// Where `build` takes files from, besides its context; Docker's names.
struct BuildSourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What FROM and --from mean by a name: a directory, docker-image://NAME, a git repository or an address.",
            valueName: "name=value"))
    var buildContext: [String] = []

    @Option(help: ArgumentHelp("Build a stage anew; may be given several times.", valueName: "stage"))
    var noCacheFilter: [String] = []

    /// Puts them into the options of the builder.
    func apply(to options: inout BuildOptions) throws {
        for text in buildContext {
            let parts = text.parts(at: "=")
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw CommandError(.usage, "invalid value \"\(text)\" for --build-context: it is no name=value")
            }
            options.namedContexts[parts[0]] = try Self.context(parts[1])
        }
        // As Docker has it, several names can be in one.
        options.uncachedStages = Set(
            noCacheFilter.flatMap { $0.split(separator: ",").map { $0.lowercased() } })
    }

    private static func context(_ text: String) throws(CommandError) -> BuildOptions.NamedContext {
        let image = "docker-image://"
        if text.hasPrefix(image) { return .image(String(text.dropFirst(image.count))) }
        if text.hasPrefix("oci-layout://") {
            throw CommandError(
                .usage, "cannot use \(text): layouts are no contexts here", remedy: "load it, then use docker-image://")
        }
        return BuildOptions.isAddress(text) ? .remote(text) : .directory(text)
    }

    /// Sets the context that the command names: a directory, an address, or `-` for an archive or a Dockerfile on
    /// standard input.
    static func setContext(_ path: String, file: String?, of options: inout BuildOptions) throws {
        if path == "-" {
            if file == "-" {
                throw CommandError(
                    .usage, "standard input cannot be both the context and the Dockerfile", remedy: "leave out -f")
            }
            options.remoteContext = .descriptor(0)
        } else if isDirectory(path) {
            options.context = path
        } else if path.hasPrefix("github.com/") {
            options.remoteContext = .address(Self.hosted(path))
        } else if BuildOptions.isAddress(path) {
            options.remoteContext = .address(path)
        } else if path.contains("://") {
            throw CommandError(
                .usage, "cannot build \(path): it is neither a directory nor an address of git or the web")
        } else {
            options.context = path
        }
        guard let file else { return }
        options.dockerfile = file == "-" ? .text(try Console.readInput(limit: 1 << 26)) : .file(file)
    }

    private static func isDirectory(_ path: String) -> Bool {
        let status = try? FileDescriptor.currentDirectory.status(of: path, followSymlinks: true)
        return status?.isDirectory == true
    }

    /// `github.com/user/name#ref` is short for an address of git.
    private static func hosted(_ path: String) -> String {
        let parts = path.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0].hasSuffix(".git") ? parts[0] : parts[0] + ".git"
        return "https://" + name + (parts.count == 2 ? "#" + parts[1] : "")
    }
}
