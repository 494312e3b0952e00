import ArgumentParser
import BuildEngine
import Engine
import ImageStore
import OCI
import Rendering
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
        let engine = try globals.openEngine()
        var request = try options.request()
        if let call = try options.call.method() {
            return try call.run(try engine.supplied(request), engine.builder)
        }
        let cancellation = try Cancellation()
        let interruption = Interruption.watch(cancellation)
        if options.showsRemarks, !RuntimeContext.canLimitResources {
            Console.complain(ResourceOptions.remarkWithoutLimits)
        }
        let display = options.display()
        options.debugging.apply(to: &request.options, display: display)
        let transfers = EngineDisplay(options.isQuiet ? .quiet : .standardError)
        let warnings = WarningCollector()
        var hasEnded = false
        func end() {
            if hasEnded { return }
            hasEnded = true
            display.end()
            if options.showsRemarks { warnings.show() }
        }
        defer {
            end()
            transfers.end()
        }
        do {
            let built = try engine.build(request, cancellation: cancellation) { progress in
                guard case .build(let event) = progress else {
                    // Two displays do not draw on one terminal.
                    display.suspend()
                    transfers.show(progress)
                    return display.resume()
                }
                display.show(event)
                warnings.take(event)
            } ended: { result in
                end()
                if let file = options.iidfile { try IdentificationFile.write(result.imageID.description, to: file) }
            } writer: { path, body in
                try OutputFile.write(path, whatFor: "build", body)
            }
            transfers.end()
            try options.outputs.writeMetadata(built.image, built.result.tags)
            if options.isQuiet { try Console.print(built.image.id.description) }
        } catch let error as BuildError {
            end()
            display.show(lastOutputOf: error)
            throw error
        }
        withExtendedLifetime(interruption) {}
    }
}
