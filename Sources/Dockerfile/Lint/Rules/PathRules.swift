/// `WorkdirRelativePath`: only the first one of a stage, as the next are mended by mending it.
enum RelativeWorkdirRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        let scope = state.scope
        guard !state.hasWorkingDirectory, case .workingDirectory = step.instruction.operation,
            case .workingDirectory(let path) = try step.expanded(scope), !path.hasPrefix("/")
        else { return }
        report.warn(
            .workdirRelativePath,
            "Relative workdir \(path.goQuoted) can have unexpected results if the base image changes",
            at: step.origin, comments: step.comments)
    }
}

/// `CopyIgnoredFile`: the name of the source decides, whether there is such a file or not.
enum IgnoredSourceRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        // With exceptions it cannot be said whether there is something left in a directory.
        guard let ignored = step.ignored, !ignored.isEmpty, !ignored.hasExceptions else { return }
        let verb: String
        let sources: [FileTransfer.Source]
        switch try step.expanded(state.scope) {
        case .copy(let copy) where copy.from == nil: (verb, sources) = ("Copy", copy.files.sources)
        case .add(let add): (verb, sources) = ("Add", add.files.sources)
        default: return
        }
        for case .path(let source) in sources where !isRemote(source) {
            let path = cleaned(source)
            let isRoot = path == "." || path == "/"
            // Patterns are relative to the context, so no path that starts with a slash can match.
            let isIgnored = isRoot ? ignored.excludesEverything : !path.hasPrefix("/") && ignored.excludes(path)
            guard isIgnored else { continue }
            report.warn(
                .copyIgnoredFile,
                "Attempting to \(verb) file \(path.goQuoted) that is excluded by .dockerignore", at: step.origin,
                comments: step.comments)
        }
    }

    private static func isRemote(_ source: String) -> Bool {
        source.contains("://") || source.hasPrefix("git@") || source.hasPrefix("github.com/")
    }

    /// Without `.`, empty names, and `..` with the name before it.
    private static func cleaned(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == "..", let last = names.last, last != ".." {
                names.removeLast()
            } else if name != ".." || !isAbsolute {
                names.append(name)
            }
        }
        let joined = names.joined(separator: "/")
        return isAbsolute ? "/" + joined : joined.isEmpty ? "." : joined
    }
}

extension LintedStep {
    /// What the instruction asks for, with the values of variables.
    func expanded(_ scope: VariableScope) throws(DockerfileError) -> Instruction.Operation {
        do throws(DockerfileError) {
            return try instruction.expanded { scope.value(of: $0) }
        } catch {
            throw error.moved(to: origin)
        }
    }
}
