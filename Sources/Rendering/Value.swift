package import OCI

/// What a template or the JSON writer can show: JSON with the order of members kept.
package indirect enum Value: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([Value])
    case object([Member])

    /// A named part of an object.
    package struct Member: Hashable, Sendable {
        /// Its name.
        package var name: String
        /// What it holds.
        package var value: Value

        /// Puts a name and a value together.
        package init(name: String, value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// An object of members in the given order.
    package static func members(_ members: KeyValuePairs<String, Value>) -> Value {
        .object(members.map { Member(name: $0.key, value: $0.value) })
    }

    /// A map of texts, sorted by name as Go writes maps.
    package static func map(_ map: [String: String]) -> Value {
        .object(map.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: .string($0.value)) })
    }

    /// A set as Go writes one: an object of empty objects.
    package static func set(_ set: some Sequence<String>) -> Value {
        .object(set.sorted().map { Member(name: $0, value: .object([])) })
    }

    /// A list of texts.
    package static func strings(_ list: some Sequence<String>) -> Value { .array(list.map { .string($0) }) }

    /// A list of texts, or null where there is none.
    package static func optional(_ list: [String]?) -> Value { list.map { strings($0) } ?? .null }

    /// The value of JSON that was kept as it came.
    package init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let values): self = .array(values.map { Value($0) })
        case .object(let members):
            self = .object(
                members.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: Value($0.value)) })
        }
    }

    /// The member of a name, nil where there is none or this is no object.
    package subscript(name: String) -> Value? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// Whether Go's templates take it for true: not empty, not zero, not nil.
    package var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty
        case .array(let values): !values.isEmpty
        case .object(let members): !members.isEmpty
        }
    }

    /// As Go's templates print it.
    package var text: String {
        switch self {
        case .null: "<nil>"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): "\(value)"
        case .string(let value): value
        case .array(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .object(let members): "map[" + members.map { "\($0.name):\($0.value.text)" }.joined(separator: " ") + "]"
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}
