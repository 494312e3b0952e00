public import FoundationEssentials
public import OCI

/// What a build step led to the last time; a cache record keeps its layer in the store.
public struct CacheRecord: Hashable, Sendable {
    /// The key: everything the step's result depends on, hashed by the build engine.
    public var key: String
    /// The layer the step made; nil where it changed the configuration only.
    public var layerID: LayerID?
    /// What the step did to the configuration; opaque to the store.
    public var configurationDelta: Data
    /// When the step was carried out.
    public var createdAt: Timestamp
    /// When the record was last found useful.
    public var lastUsed: Timestamp

    /// Describes a step's result.
    public init(
        key: String, layerID: LayerID?, configurationDelta: Data = Data(), createdAt: Timestamp = .now,
        lastUsed: Timestamp = .now
    ) {
        self.key = key
        self.layerID = layerID
        self.configurationDelta = configurationDelta
        self.createdAt = createdAt
        self.lastUsed = lastUsed
    }
}
