import Dockerfile
import OCI

/// A Dockerfile as a build takes it: read, with what has to be built found out.
struct BuildDefinition: Sendable {
    let source: DockerfileSource
    let document: DockerfileDocument
    let arguments: BuildArguments
    let plan: Plan
    /// The time that `SOURCE_DATE_EPOCH` gives the build.
    let sourceDate: Timestamp?
    /// The text of the Dockerfile, for errors.
    private let content: [UInt8]

    /// Reads the Dockerfile that the options name.
    init(_ options: BuildOptions, reporter: ProgressReporter) throws(BuildError) {
        let source = try DockerfileSource(options)
        self.source = source
        let step = reporter.start("[internal] load build definition from \(source.name)")
        var bytes: [UInt8] = []
        do throws(BuildError) {
            bytes = try source.read()
            let (name, read) = (source.name, bytes)
            document = try fromDockerfile { () throws(DockerfileError) in
                try DockerfileDocument(parsing: read, file: name)
            }
            arguments = BuildArguments(options, document)
            plan = try Plan(document, arguments: arguments, target: options.target)
            sourceDate = try SourceDate.parse(
                options.buildArguments[SourceDate.name] ?? plan.graph.globalArguments[SourceDate.name],
                context: SourceDate.ofContext(options))
        } catch {
            reporter.fail(step, error)
            throw error.shown(in: bytes, of: source.name)
        }
        content = bytes
        reporter.finish(step)
    }

    /// Does something whose errors show the lines of the Dockerfile that they are about.
    func showing<Value>(_ body: () throws(BuildError) -> Value) throws(BuildError) -> Value {
        do throws(BuildError) { return try body() } catch { throw error.shown(in: content, of: document.file) }
    }

    /// The build arguments that no `ARG` declares, by name; those that are there for every Dockerfile are left out.
    var unusedArguments: [String] {
        Set(arguments.given.keys).subtracting(document.declaredArgumentNames)
            .subtracting(BuildArguments.proxyNames).subtracting([SourceDate.name])
            .filter { !$0.hasPrefix("BUILDKIT_") }.sorted()
    }
}
