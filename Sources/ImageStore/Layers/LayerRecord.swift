import Linux
public import OCI

/// Names a layer within a store: the directory `layers/<id>`. It says nothing of the content; `diffID` does.
public struct LayerID: RawRepresentable, Hashable, Codable, Sendable, CustomStringConvertible {
    /// 32 hexadecimal digits.
    public let rawValue: String

    /// Takes an ID read from a record.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The digits.
    public var description: String { rawValue }

    static func random() -> LayerID { LayerID(rawValue: RandomName.hex(digits: 32)) }
}

/// What the catalog knows of a layer.
public struct LayerRecord: Hashable, Sendable {
    /// The layer.
    public var id: LayerID
    /// SHA-256 of the layer's canonical archive; nil while it is being computed.
    public var diffID: Digest?
    /// Bytes of that archive, uncompressed.
    public var archiveSize: Int64
    /// Bytes the tree takes on disk as `du` counts them: allocated blocks, hard links once.
    public var diskUsage: Int64
    /// When the layer entered the store.
    public var createdAt: Timestamp
}
