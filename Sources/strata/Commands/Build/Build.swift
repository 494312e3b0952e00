import ArgumentParser
import BuildEngine
import Glibc
import ImageStore
import Linux
import OCI
import Runtime

/// `strata build`
struct Build: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Build an image from a Dockerfile.",
        discussion: """
            A failing RUN ends the build with its exit status; what was built until then stays as an image without a name. \
            With --keep-failed that image has what the failed command left as well; --debug-shell opens a shell there.

            EXAMPLE: strata build -t web:1.0 --build-arg VERSION=2 .
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var options: BuildCommandOptions

    func run() throws {
        var settings = try options.settings(runtime: globals.runtime)
        let outputs = try options.outputs.outputs()
        let store = try globals.openStore()
        settings.fetch = BuildImages(store: store, settings: options.registry.settings).fetch
        settings.fetchesAlways = options.pull
        settings.download = BuildDownload.fetch
        let builder = Builder(store: store, runtime: RuntimeContext(store: store, runtime: globals.runtime))
        let cancellation = try Cancellation()
        let interruption = Interruption.watch(cancellation)
        let display = options.display()
        options.debugging.apply(to: &settings, display: display)
        let result: BuildResult
        do {
            defer { display.end() }
            result = try builder.build(settings, cancellation: cancellation) { display.show($0) }
        } catch {
            display.show(lastOutputOf: error)
            throw error
        }
        withExtendedLifetime(interruption) {}
        if let file = options.iidfile { try IdentificationFile.write(result.imageID.description, to: file) }
        try options.outputs.carryOut(
            outputs, result, of: store, with: builder, options.registry.settings, quiet: options.isQuiet)
        if options.isQuiet { try Console.print(result.imageID.description) }
    }
}
