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

            Likely mistakes in the Dockerfile are told at the end; --check finds them without a build.

            EXAMPLE: strata build -t web:1.0 --build-arg VERSION=2 .
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var options: BuildCommandOptions

    func run() throws {
        var settings = try options.settings(runtime: globals.runtime)
        let outputs = try options.outputs.outputs()
        let annotations = try options.assembly.apply(to: &settings, outputs)
        let caches = try options.caches.targets()
        let store = try globals.openStore()
        try options.caches.apply(to: &settings, caches, store, options.registry.settings)
        settings.fetch = BuildImages(settings: options.registry.settings).fetch
        // What follows the build works with its image.
        settings.leasesImage = true
        settings.fetchesAlways = options.pull
        settings.download = BuildDownload.fetch
        let isForFilesOnly = options.outputs.isForFilesOnly(outputs, settings)
        let builder = Builder(store: store, runtime: RuntimeContext(store: store, runtime: globals.runtime))
        if let call = try options.call.method() { return try call.run(settings, builder) }
        let cancellation = try Cancellation()
        let interruption = Interruption.watch(cancellation)
        if options.tellsRemarks, !RuntimeContext.canLimitResources {
            Console.complain(ResourceOptions.remarkWithoutLimits)
        }
        let display = options.display()
        options.debugging.apply(to: &settings, display: display)
        let warnings = WarningCollector()
        let result: BuildResult
        do {
            defer {
                display.end()
                if options.tellsRemarks { warnings.show() }
            }
            result = try builder.build(settings, cancellation: cancellation) { event in
                display.show(event)
                warnings.take(event)
            }
        } catch {
            display.show(lastOutputOf: error)
            throw error
        }
        withExtendedLifetime(interruption) {}
        if let file = options.iidfile { try IdentificationFile.write(result.imageID.description, to: file) }
        try options.outputs.carryOut(
            outputs, result, annotations, of: store, with: builder, options.registry.settings, quiet: options.isQuiet)
        for cache in caches { try cache.write(result, of: store, with: builder, options.registry.settings) }
        // What was built for files only is not kept, unless somebody has it for something else.
        if isForFilesOnly, result.isNew { try? store.removeImage(unnamed: result.imageID) }
        if options.isQuiet { try Console.print(result.imageID.description) }
    }
}
