package import OCI

/// What a template or the JSON writer can show: JSON with the order of members kept, and of Go's types as much as templates
/// tell apart.
package indirect enum Value: Hashable, Sendable {
    /// Nothing that has a type: JSON's null, the member that a map lacks.
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([Value])
    /// A struct of Go's: a member that it lacks is an error.
    case object([Member])
    /// A map of Go's, which may lack any member.
    case dictionary([Member])
    /// A list, a map or a pointer of Go's that is nil.
    case absent(Shape)

    /// What is absent.
    package enum Shape: Hashable, Sendable { case list, map, pointer }

    /// A named part of an object or a dictionary.
    package struct Member: Hashable, Sendable {
        /// Who sees a member.
        package enum Visibility: Hashable, Sendable {
            case all
            /// Templates only: JSON leaves it out because it is empty.
            case templates
            /// Templates that ask for it by this second name.
            case alias
        }

        /// Its name.
        package var name: String
        /// What it holds.
        package var value: Value
        /// Who sees it.
        package var visibility: Visibility

        /// Puts a name and a value together.
        package init(name: String, value: Value, visibility: Visibility = .all) {
            self.name = name
            self.value = value
            self.visibility = visibility
        }
    }

    /// An object of members in the given order.
    package static func members(_ members: KeyValuePairs<String, Value>) -> Value {
        .object(members.map { Member(name: $0.key, value: $0.value) })
    }

    /// A map of texts, sorted by name as Go writes maps.
    package static func map(_ map: [String: String]) -> Value {
        .dictionary(map.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: .string($0.value)) })
    }

    /// A set as Go writes one: an object of empty objects.
    package static func set(_ set: some Sequence<String>) -> Value {
        .dictionary(set.sorted().map { Member(name: $0, value: .object([])) })
    }

    /// A list of texts.
    package static func strings(_ list: some Sequence<String>) -> Value { .array(list.map { .string($0) }) }

    /// A list of texts, or null where there is none.
    package static func optional(_ list: [String]?) -> Value { list.map { strings($0) } ?? .absent(.list) }

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
            self = .dictionary(
                members.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: Value($0.value)) })
        }
    }

    /// The member of a name, nil where there is none or this has no members.
    package subscript(name: String) -> Value? { members?.first { $0.name == name }?.value }

    /// The members of an object or a dictionary, nil for anything else.
    var members: [Member]? {
        switch self {
        case .object(let members), .dictionary(let members): members
        case .absent(.map): []
        default: nil
        }
    }

    /// Whether Go's templates take it for true: not empty, not zero, not nil. A struct always is.
    package var isTrue: Bool {
        switch self {
        case .null, .absent: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty
        case .array(let values): !values.isEmpty
        case .object: true
        case .dictionary(let members): !members.isEmpty
        }
    }

    /// As Go's templates print it.
    package var text: String { GoFormat.text(self) }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}
