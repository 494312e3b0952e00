/// The fields of a request's or an answer's header, in order; names without regard to case (RFC 9110, section 5).
struct HTTPHeaders: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One field.
    struct Field: Hashable, Sendable {
        var name: String
        var value: String
    }

    private(set) var fields: [Field] = []

    init() {}

    init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The values of all fields of that name.
    subscript(_ name: String) -> [String] { fields.filter { HTTPHeaders.isSame($0.name, name) }.map(\.value) }

    /// The value of the first field of that name.
    func first(name: String) -> String? { fields.first { HTTPHeaders.isSame($0.name, name) }?.value }

    func contains(name: String) -> Bool { first(name: name) != nil }

    mutating func add(name: String, value: String) { fields.append(Field(name: name, value: value)) }

    mutating func remove(name: String) { fields.removeAll { HTTPHeaders.isSame($0.name, name) } }

    mutating func replaceOrAdd(name: String, value: String) {
        remove(name: name)
        add(name: name, value: value)
    }

    /// Whether the fields end where they should: values may come from a registry, and one with a line break in it would
    /// be two fields, or a second request.
    var isWellFormed: Bool {
        fields.allSatisfy { field in
            !field.name.isEmpty && field.name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x3a }
                && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
        }
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { lowered($0) == lowered($1) }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
}
