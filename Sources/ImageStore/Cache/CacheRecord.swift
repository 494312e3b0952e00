public import FoundationEssentials
public import OCI

/// Something that the build cache remembers; a record with a layer keeps that in the store.
public struct CacheRecord: Hashable, Sendable {
    /// What a record is about.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A step of a build.
        case step
        /// Files selected of layers.
        case selection
        /// The files of a context.
        case files
        /// A layer that was made of others.
        case layer
        /// A directory of `RUN --mount=type=cache`. The catalog has none of these: they are listed from the disk.
        case mount
        /// Something that this version does not know.
        case other
    }

    /// What is remembered.
    public enum Value: Hashable, Sendable {
        /// What a step led to.
        case step(StepResult)
        /// The digest of files selected of layers.
        case selection(Digest)
        /// What the build engine knows of the files of a context, in a form of its own.
        case files(Data)
        /// A layer that was made of others: the record's.
        case layer
        /// What people call a directory of `RUN --mount=type=cache`.
        case mount(name: String)
        /// The bytes of something that this version does not know.
        case other(Data)
    }

    /// The key: everything that the value depends on, hashed by the build engine.
    public var key: String
    /// What is remembered.
    public var value: Value
    /// The layer of a step, or the one that was made of others; nil where there is none.
    public var layerID: LayerID?
    /// When the step was carried out, or the value computed.
    public var createdAt: Timestamp
    /// When the record was last found useful.
    public var lastUsed: Timestamp

    /// Puts a record together.
    public init(
        key: String, _ value: Value = .layer, layerID: LayerID?, createdAt: Timestamp = .now,
        lastUsed: Timestamp = .now
    ) {
        self.key = key
        self.value = value
        self.layerID = layerID
        self.createdAt = createdAt
        self.lastUsed = lastUsed
    }

    /// What the record is about.
    public var kind: Kind {
        switch value {
        case .step: .step
        case .selection: .selection
        case .files: .files
        case .layer: .layer
        case .mount: .mount
        case .other: .other
        }
    }
}

/// What a step of a build led to, besides its layer.
public struct StepResult: Codable, Hashable, Sendable {
    /// When the step was done; it goes into the history again, so that a rebuilt image is the same image.
    public var created: Timestamp
    /// Whether the step made a layer.
    public var hasLayer: Bool
    /// A name for the stack that the step was done on: one that was made anew since does not fit under its layer.
    public var parent: String

    /// Puts a result together.
    public init(created: Timestamp, hasLayer: Bool, parent: String) {
        self.created = created
        self.hasLayer = hasLayer
        self.parent = parent
    }
}

extension CacheRecord.Value {
    /// Reads what the catalog has; `other` for what is not in the form of its kind.
    init(kind: String, stored bytes: Data) {
        self = .other(bytes)
        switch CacheRecord.Kind(rawValue: kind) {
        case .step: if let result = try? JSON.decode(StepResult.self, from: bytes) { self = .step(result) }
        case .selection:
            if let digest = try? Digest(hex: String(decoding: bytes, as: UTF8.self)) { self = .selection(digest) }
        case .files: self = .files(bytes)
        case .layer: self = .layer
        case .mount: self = .mount(name: String(decoding: bytes, as: UTF8.self))
        case .other, nil: break
        }
    }

    /// What the catalog keeps.
    func stored() throws(OCIError) -> Data {
        switch self {
        case .step(let result): try JSON.encode(result)
        case .selection(let digest): Data(digest.hex.utf8)
        case .files(let bytes), .other(let bytes): bytes
        case .layer: Data()
        case .mount(let name): Data(name.utf8)
        }
    }
}
