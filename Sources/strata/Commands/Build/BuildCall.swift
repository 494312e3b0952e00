import BuildEngine
import Dockerfile
import Rendering

/// What is asked about a Dockerfile instead of building it; prints what Buildx prints.
struct BuildCall {
    /// The questions, by their names on the command line.
    enum Method: String {
        case check, outline, targets
    }

    var method: Method
    var isJSON: Bool
    /// Whether remarks make no difference to the exit status.
    var ignoresStatus: Bool

    /// Answers the question. Throws what is wrong with the Dockerfile; remarks of a check end with the status 1.
    func run(_ options: BuildOptions, _ builder: Builder) throws {
        switch method {
        case .check: try printed(try builder.check(options))
        case .outline: try printed(try builder.outline(options))
        case .targets: try printed(try builder.targets(options))
        }
    }

    private func printed(_ check: BuildCheck) throws {
        let warnings = check.result.warnings
        if isJSON {
            try Console.write(CallDocument.check(check).json(indent: "  ") + "\n")
        } else if !warnings.isEmpty {
            try Console.write(CheckText.render(check))
        }
        if let error = check.error {
            if !isJSON, !warnings.isEmpty { try Console.print("") }
            throw error
        }
        if !isJSON, warnings.isEmpty { try Console.print("Check complete, no warnings found.") }
        if !warnings.isEmpty, !ignoresStatus { throw CommandError.exit(1) }
    }

    private func printed(_ answer: (outline: BuildOutline, content: [UInt8])) throws {
        let document = CallDocument.outline(answer.outline, source: answer.content)
        try Console.write(isJSON ? document.json(indent: "  ") + "\n" : OutlineText.render(answer.outline))
    }

    private func printed(_ answer: (list: TargetList, content: [UInt8])) throws {
        let document = CallDocument.targets(answer.list, source: answer.content)
        try Console.write(isJSON ? document.json(indent: "  ") + "\n" : OutlineText.render(answer.list))
    }
}
