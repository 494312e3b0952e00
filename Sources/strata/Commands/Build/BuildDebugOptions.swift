import ArgumentParser
import BuildEngine
import Rendering
import Runtime

/// What `build` tells of its cache, and what it leaves of a failed command.
struct BuildDebugOptions: ParsableArguments {
    @Flag(help: "Say of each step whether the cache had it, and if not, what differs from an earlier build.")
    var explainCache = false

    @Flag(help: "Keep what a failed RUN left as an image without a name.")
    var keepFailed = false

    @Flag(help: "Open a shell where a RUN has failed; the build ends with it.")
    var debugShell = false

    /// Puts them into the options of the builder.
    ///
    /// - Parameter display: makes room while somebody is in the shell.
    func apply(to options: inout BuildOptions, display: any BuildDisplay) {
        options.explainsCache = explainCache
        options.keepsFailed = keepFailed
        guard debugShell else { return }
        options.debugShell = { open in
            display.suspend()
            defer { display.resume() }
            Console.remark("A shell where the command failed; the build ends when it is left.\n")
            do {
                _ = try open(.ownStreams())
            } catch {
                Console.complain("no shell can be opened: \(error)")
            }
        }
    }
}
