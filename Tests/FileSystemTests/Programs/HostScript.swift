import Glibc
import Linux
import TestSupport
import Testing

/// Programs of the host at work on a mount.
enum HostScript {
    /// Runs a script of bash in a directory; it must succeed within its time. Returns what it printed.
    @discardableResult
    static func run(
        _ text: String, in directory: String, seconds: Int = 60, location: SourceLocation = #_sourceLocation
    ) throws -> String {
        // Whatever the caller's configuration and language.
        let prefix = "export LC_ALL=C HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1; "
        let finished = try runProgram(
            ["bash", "-euo", "pipefail", "-c", prefix + text], directory: directory, seconds: seconds)
        try #require(finished.status == 0, "status \(finished.status): \(finished.output)", sourceLocation: location)
        return finished.output
    }

    /// Runs a script on Strata and on the kernel's overlay, over the same layers and each in a mount of its own, and
    /// expects the same to be printed. What the layers hold must be the same afterwards.
    ///
    /// - Parameter again: a script that runs after a new mount; what it prints is compared as well.
    /// - Returns: what was printed.
    @discardableResult
    static func compare(
        layers: [(Area) throws -> Void], _ text: String, again: String? = nil, seconds: Int = 60,
        location: SourceLocation = #_sourceLocation
    ) throws -> String {
        try withScratch { scratch in
            var lower: [String] = []
            for (index, fill) in layers.enumerated() {
                let path = try makeDirectory(scratch.appending("layer\(index)"))
                try Area.with(path) { area in try fill(area) }
                lower.insert(path, at: 0)
            }
            let before = try lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
            let printed = try [MountedUnion.Server.kernel, .strata].map { server throws in
                try withUnion(server, below: lower) { union throws in
                    var output = try run(text, in: union.target, seconds: seconds, location: location)
                    if let again {
                        try union.remount()
                        output += "\nafter a new mount:\n"
                        output += try run(again, in: union.target, seconds: seconds, location: location)
                    }
                    #expect(try TreeSnapshot(of: union.target).directoryFaults == [], sourceLocation: location)
                    return output
                }
            }
            #expect(printed[1] == printed[0], "not as on the kernel's overlay", sourceLocation: location)
            for (path, old) in zip(lower, before) {
                let now = try TreeSnapshot(of: path, changeTimes: true)
                #expect(old.differences(to: now) == [], "a lower layer was written to", sourceLocation: location)
            }
            return printed[1]
        }
    }
}
