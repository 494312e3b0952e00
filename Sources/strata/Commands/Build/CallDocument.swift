import BuildEngine
import Dockerfile
import FoundationEssentials
import Rendering

/// The answers about a Dockerfile as BuildKit has them in JSON; what is empty is left out as Go leaves it out.
enum CallDocument {
    /// `--call=check`
    static func check(_ check: BuildCheck) -> Value {
        let warnings = check.result.warnings.map { warning in
            object([
                ("ruleName", .string(warning.rule.rawValue)), ("description", .string(warning.rule.summary)),
                ("url", warning.rule.url.map { .string($0) }), ("detail", .string(warning.message)),
                ("location", location(warning.lines)),
            ])
        }
        let source = object([
            ("filename", .string(check.file)), ("data", data(check.content)), ("language", "Dockerfile"),
        ])
        let error = check.error.map { error in
            let lines = check.result.error.flatMap { error in
                error.lines ?? error.position.map { $0.line...$0.line }
            }
            return object([
                ("message", .string(error.description)), ("location", lines.map(location) ?? .object([])),
            ])
        }
        return object([("warnings", .array(warnings)), ("sources", .array([source])), ("buildError", error)])
    }

    /// `--call=targets`
    static func targets(_ list: TargetList, source: [UInt8]) -> Value {
        let targets = list.targets.map { target in
            object([
                ("name", text(target.name)), ("default", target.isDefault ? true : nil),
                ("description", text(target.description)), ("base", text(target.base)),
                ("platform", text(target.platform)), ("location", location(target.lines)),
            ])
        }
        return object([("targets", .array(targets)), ("sources", .array([data(source)]))])
    }

    /// `--call=outline`
    static func outline(_ outline: BuildOutline, source: [UInt8]) -> Value {
        let arguments = outline.arguments.map { argument in
            object([
                ("name", .string(argument.name)), ("description", text(argument.description)),
                ("value", text(argument.value)), ("location", location(argument.lines)),
            ])
        }
        return object([
            ("name", text(outline.name)), ("description", text(outline.description)),
            ("args", arguments.isEmpty ? nil : .array(arguments)), ("secrets", needs(outline.secrets)),
            ("ssh", needs(outline.agents)), ("sources", .array([data(source)])),
        ])
    }

    private static func needs(_ needs: [BuildOutline.Need]) -> Value? {
        if needs.isEmpty { return nil }
        return .array(
            needs.map { need in
                object([
                    ("name", .string(need.name)), ("required", need.isRequired ? true : nil),
                    ("location", location(need.lines)),
                ])
            })
    }

    /// BuildKit has a range for each line, without columns.
    private static func location(_ lines: ClosedRange<Int>) -> Value {
        let ranges = lines.map { line -> Value in
            let position: Value = ["line": .integer(Int64(line))]
            return ["start": position, "end": position]
        }
        return ["ranges": .array(ranges)]
    }

    private static func data(_ bytes: [UInt8]) -> Value { .string(Data(bytes).base64EncodedString()) }

    private static func text(_ text: String?) -> Value? { text.flatMap { $0.isEmpty ? nil : .string($0) } }

    private static func object(_ members: [(String, Value?)]) -> Value {
        .object(members.compactMap { name, value in value.map { Value.Member(name: name, value: $0) } })
    }
}

extension Value: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, Value)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
