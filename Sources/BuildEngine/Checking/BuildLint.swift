import Dockerfile
import ImageStore
import OCI

/// Checks the Dockerfile of a build.
struct BuildLint {
    let options: BuildOptions
    /// Which checks are done; nil for those that the Dockerfile asks for.
    let lintOptions: LintOptions?
    let definition: BuildDefinition
    let sources: BuildSources

    /// Checks the Dockerfile and tells what was found; ends the build where the Dockerfile wants that (`error=true`).
    /// A fault is not told: the build will come upon it.
    ///
    /// - Returns: the remarks.
    func check(_ reporter: ProgressReporter) throws(BuildError) -> [Diagnostic] {
        let wanted = options.platform
        // A context that cannot be used is told by the first instruction that needs it.
        let ignored = copiesFromContext ? (try? sources.files(of: nil))?.tree.filter.ignored : nil
        // The target, although it may have been left open: other stages are not looked into.
        let subject = LintSubject(
            arguments: definition.arguments, options: lintOptions, target: "\(definition.plan.target)", ignored: ignored
        ) { name, platform in
            guard let image = try? sources.image(name) else { return nil }
            return LintSubject.Image(image.configuration, wanted: platform, or: wanted)
        }
        let result = Linter.check(definition.document, subject)
        for warning in result.warnings { reporter.report(.diagnostic(warning)) }
        if result.isViolation { throw BuildError(.dockerfile, result.violation, remedy: BuildError.violationRemedy) }
        return result.warnings
    }

    /// Whether the build needs the context anyway, so that its ignore file can be asked.
    private var copiesFromContext: Bool {
        options.context != nil
            && definition.plan.order.flatMap { sources.graph.nodes[$0].stage.instructions }.contains { instruction in
                switch instruction.operation {
                case .copy(let copy): copy.from == nil
                case .add: true
                default: false
                }
            }
    }

    /// The checks that `--build-arg BUILDKIT_DOCKERFILE_CHECK=…` asks for, in place of those of the directive.
    static func options(of options: BuildOptions) throws(BuildError) -> LintOptions? {
        let name = "BUILDKIT_DOCKERFILE_CHECK"
        guard let text = options.buildArguments[name] else { return nil }
        do throws(DockerfileError) {
            return try LintOptions(parsing: text)
        } catch {
            throw BuildError(.badOption, "the build argument \(name): \(error.message)", remedy: error.remedy)
        }
    }
}

extension BuildError {
    static let violationRemedy = "mend them, or say error=false in the check directive"
}

extension LintSubject.Image {
    /// The facts of an image that a stage stands on.
    ///
    /// - Parameters:
    ///   - platform: what `FROM` asks for.
    ///   - target: what the build is for; this machine, if not given.
    init(_ configuration: ImageConfiguration, wanted platform: String?, or target: Platform?) {
        self.init(
            environment: configuration.config.env.map(KeyValue.init(variable:)),
            hasShell: configuration.config.shell?.isEmpty == false,
            triggers: configuration.config.onBuild)
        let expected = platform.flatMap { try? Platform(parsing: $0) } ?? target ?? .current
        let found = configuration.platform
        if found.os != expected.os || found.architecture != expected.architecture {
            mismatch = Mismatch(found: found.description, expected: expected.description)
        }
    }
}
