import OCI

extension Value {
    /// The value of a document: its members in their order, dictionaries sorted as Go writes maps. What the document leaves
    /// out because it is empty is there for templates.
    package init(encoding document: some Encodable) throws {
        switch document {
        case let value as JSONValue: self = Value(value)
        case let member as any NullableMember where member.isNull:
            self = Value.empty(member.wrappedType, isMissing: true)
        default:
            let encoder = ValueEncoder()
            try document.encode(to: encoder)
            let value = encoder.place.value
            if case .object(let members) = value, document is any MapDocument {
                self = .dictionary(members.sorted { $0.name < $1.name })
            } else {
                self = value
            }
        }
    }

    /// What Go has where there is nothing of a type.
    ///
    /// - Parameter isMissing: whether numbers, texts and truth values are behind a pointer.
    fileprivate static func empty(_ type: Any.Type, isMissing: Bool = false) -> Value {
        if type is any ListDocument.Type { return .absent(.list) }
        if type is any MapDocument.Type { return .absent(.map) }
        if isMissing { return .absent(.pointer) }
        switch type {
        case is String.Type: return ""
        case is Bool.Type: return false
        case is Int.Type, is Int64.Type: return 0
        default: return .absent(.pointer)
        }
    }
}

private protocol ListDocument {}
extension Array: ListDocument {}

private protocol MapDocument {}
extension Dictionary: MapDocument where Key == String {}

/// Where an encoder puts what it is given.
private final class ValuePlace {
    private enum Kind { case single, list, object }

    private struct Member {
        var name: String
        var place: ValuePlace
        var visibility: Value.Member.Visibility
    }

    private var kind = Kind.single
    private var single: Value
    private var elements: [ValuePlace] = []
    private var members: [Member] = []

    init(_ value: Value = .null) { single = value }

    var value: Value {
        switch kind {
        case .single: single
        case .list: .array(elements.map(\.value))
        case .object:
            .object(members.map { Value.Member(name: $0.name, value: $0.place.value, visibility: $0.visibility) })
        }
    }

    var count: Int { elements.count }

    func set(_ value: Value) { single = value }

    func beginList() { kind = .list }

    func beginObject() { kind = .object }

    func append(_ place: ValuePlace) { elements.append(place) }

    func append(_ name: String, _ place: ValuePlace, _ visibility: Value.Member.Visibility = .all) {
        members.append(Member(name: name, place: place, visibility: visibility))
    }
}

/// Makes a value of a document.
private struct ValueEncoder: Encoder {
    let place: ValuePlace
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ place: ValuePlace = ValuePlace(), _ path: [any CodingKey] = []) {
        self.place = place
        codingPath = path
    }

    func container<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        place.beginObject()
        return KeyedEncodingContainer(MemberContainer<Key>(place: place, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        place.beginList()
        return ListContainer(place: place, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleContainer(place: place, codingPath: codingPath)
    }
}

private struct SingleContainer: SingleValueEncodingContainer {
    let place: ValuePlace
    let codingPath: [any CodingKey]

    func encodeNil() { place.set(.null) }
    func encode(_ value: Bool) { place.set(.bool(value)) }
    func encode(_ value: String) { place.set(.string(value)) }
    func encode(_ value: Double) { place.set(.number(value)) }
    func encode(_ value: Float) { place.set(.number(Double(value))) }
    func encode(_ value: Int) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int8) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int16) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int32) { place.set(.integer(Int64(value))) }
    func encode(_ value: Int64) { place.set(.integer(value)) }
    func encode(_ value: UInt) { place.set(.integer(Int64(clamping: value))) }
    func encode(_ value: UInt8) { place.set(.integer(Int64(value))) }
    func encode(_ value: UInt16) { place.set(.integer(Int64(value))) }
    func encode(_ value: UInt32) { place.set(.integer(Int64(value))) }
    func encode(_ value: UInt64) { place.set(.integer(Int64(clamping: value))) }
    func encode(_ value: some Encodable) throws { place.set(try Value(encoding: value)) }
}

private struct ListContainer: UnkeyedEncodingContainer {
    let place: ValuePlace
    let codingPath: [any CodingKey]
    var count: Int { place.count }

    func encodeNil() { place.append(ValuePlace(.null)) }

    func encode(_ value: some Encodable) throws { place.append(ValuePlace(try Value(encoding: value))) }

    func nestedContainer<Key>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        next().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { next().unkeyedContainer() }

    func superEncoder() -> any Encoder { next() }

    private func next() -> ValueEncoder {
        let element = ValuePlace()
        place.append(element)
        return ValueEncoder(element, codingPath)
    }
}

private struct MemberContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: ValuePlace
    let codingPath: [any CodingKey]

    func encodeNil(forKey key: Key) { place.append(key.stringValue, ValuePlace(.null)) }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        place.append(key.stringValue, ValuePlace(try Value(encoding: value)))
    }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try add(value, key) }
    func encodeIfPresent(_ value: (some Encodable)?, forKey key: Key) throws { try add(value, key) }

    private func add<Member: Encodable>(_ value: Member?, _ key: Key) throws {
        if let value { return try encode(value, forKey: key) }
        place.append(key.stringValue, ValuePlace(Value.empty(Member.self)), .templates)
    }

    func nestedContainer<Nested>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        next(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { next(key).unkeyedContainer() }

    func superEncoder() -> any Encoder { ValueEncoder(place, codingPath) }

    func superEncoder(forKey key: Key) -> any Encoder { next(key) }

    private func next(_ key: Key) -> ValueEncoder {
        let member = ValuePlace()
        place.append(key.stringValue, member)
        return ValueEncoder(member, codingPath + [key])
    }
}
