public import Dockerfile
import ImageStore
import OCI
public import Runtime

/// What was found in a Dockerfile without a build.
public struct BuildCheck: Sendable {
    /// The name of the Dockerfile, as the user has it.
    public var file: String
    /// Its content.
    public var content: [UInt8]
    /// The remarks, the fault if there is one, and whether the remarks are meant to end a build.
    public var result: Linter.Result

    /// The fault of the Dockerfile, or that of its remarks where they end a build, with the lines it is about.
    public var error: BuildError? {
        if let error = result.error { return BuildError(error).shown(in: content, of: file) }
        if result.isViolation { return BuildError(.dockerfile, result.violation, remedy: BuildError.violationRemedy) }
        return nil
    }
}

extension Builder {
    /// Checks a Dockerfile: all its stages, unless there is a target. Nothing is built and no image is fetched: of those
    /// that are not in the store nothing is known but that they set `PATH`.
    ///
    /// - Throws: `noDockerfile`, `noContext`, `badOption`; not for what is wrong in the Dockerfile.
    public func check(_ options: BuildOptions, cancellation: Cancellation? = nil) throws(BuildError) -> BuildCheck {
        let lintOptions = try BuildLint.options(of: options)
        return try read(options, cancellation) { (source, bytes, options) throws(BuildError) in
            let arguments = BuildArguments(options, try? DockerfileDocument(parsing: bytes, file: source.name))
            var ignored: IgnorePatterns?
            if let directory = options.context {
                ignored = try BuildContext(directory: directory, dockerfile: source).tree.filter.ignored
            }
            let subject = LintSubject(
                arguments: arguments, options: lintOptions, target: options.target, ignored: ignored
            ) { name, platform in
                self.facts(of: name, platform, options)
            }
            let result = Linter.check(bytes, file: source.name, subject)
            return BuildCheck(file: source.name, content: bytes, result: result)
        }
    }

    /// The stages of a Dockerfile, for people who choose a target, and its content.
    ///
    /// - Throws: `noDockerfile`, `noContext`, `dockerfile`.
    public func targets(
        _ options: BuildOptions, cancellation: Cancellation? = nil
    ) throws(BuildError) -> (list: TargetList, content: [UInt8]) {
        try read(options, cancellation) { (source, bytes, options) throws(BuildError) in
            let list = try Builder.document(bytes, source.name) { (document) throws(DockerfileError) in
                TargetList(document)
            }
            return (list, bytes)
        }
    }

    /// What a stage takes from outside (build arguments, secrets, agents), and the content of the Dockerfile.
    ///
    /// - Throws: `noDockerfile`, `noContext`, `dockerfile`.
    public func outline(
        _ options: BuildOptions, cancellation: Cancellation? = nil
    ) throws(BuildError) -> (outline: BuildOutline, content: [UInt8]) {
        try read(options, cancellation) { (source, bytes, options) throws(BuildError) in
            let outline = try Builder.document(bytes, source.name) { (document) throws(DockerfileError) in
                let arguments = BuildArguments(options, document)
                return try BuildOutline(document, arguments: arguments, target: options.target)
            }
            return (outline, bytes)
        }
    }

    /// Reads the Dockerfile, wherever it is.
    private func read<Value>(
        _ options: BuildOptions, _ cancellation: Cancellation?,
        _ body: (DockerfileSource, [UInt8], BuildOptions) throws(BuildError) -> Value
    ) throws(BuildError) -> Value {
        let session = store.session()
        let contexts = ContextSupply(
            session, download: options.download, cancellation: cancellation, reporter: ProgressReporter { _ in })
        defer { try? session.releaseLeases() }
        let options = try contexts.supply(options)
        let source = try DockerfileSource(options)
        let value = try body(source, try source.read(), options)
        withExtendedLifetime(contexts) {}
        return value
    }

    private static func document<Value>(
        _ bytes: [UInt8], _ file: String, _ body: (DockerfileDocument) throws(DockerfileError) -> Value
    ) throws(BuildError) -> Value {
        do throws(DockerfileError) {
            return try body(try DockerfileDocument(parsing: bytes, file: file))
        } catch {
            throw BuildError(error).shown(in: bytes, of: file)
        }
    }

    private func facts(of name: String, _ platform: String?, _ options: BuildOptions) -> LintSubject.Image? {
        guard options.directory(named: name) == nil,
            let image = try? store.image(matching: options.imageReference(of: name))
        else { return nil }
        return LintSubject.Image(image.configuration, wanted: platform, or: options.platform)
    }
}
