/// A member of a document that is null where there is none, as Go writes what is nil. Other optional members are left out.
@propertyWrapper
public struct OrNull<Wrapped: Hashable & Codable & Sendable>: Hashable, Codable, Sendable {
    public var wrappedValue: Wrapped?

    /// Nothing.
    public init() { wrappedValue = nil }

    /// A value, or nothing.
    public init(wrappedValue: Wrapped?) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Wrapped.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

/// What may be null in a document, whatever its type.
public protocol NullableMember {
    /// The type of what is there.
    var wrappedType: Any.Type { get }
    /// Whether nothing is there.
    var isNull: Bool { get }
}

extension OrNull: NullableMember {
    public var wrappedType: Any.Type { Wrapped.self }
    public var isNull: Bool { wrappedValue == nil }
}

extension KeyedDecodingContainer {
    /// A member that is missing is null, too.
    public func decode<Wrapped>(_ type: OrNull<Wrapped>.Type, forKey key: Key) throws -> OrNull<Wrapped> {
        try decodeIfPresent(type, forKey: key) ?? OrNull()
    }
}
