public import FoundationEssentials
public import ImageStore
public import OCI

/// What an exported cache says of itself: which steps led to which layers. It has the form of BuildKit's cache manifest
/// (`application/vnd.buildkit.cacheconfig.v0`); the keys are our own, and each record has what else we know of the step
/// in the member `strata`, so that others read it and find nothing they can use.
public struct CacheDocument: Codable, Hashable, Sendable {
    /// The type of the document in a manifest.
    public static let mediaType = MediaType(rawValue: "application/vnd.buildkit.cacheconfig.v0")
    /// The member of an image's configuration that holds such a document in base 64 (`type=inline`).
    public static let inlineMember = "moby.buildkit.cache.v0"
    /// The longest document that is read, in bytes.
    public static let maximumSize = 64 << 20

    /// A layer that steps led to.
    public struct Layer: Codable, Hashable, Sendable {
        /// What is known of the blob.
        public struct Annotations: Codable, Hashable, Sendable {
            public var mediaType: MediaType?
            /// The digest of the archive without compression.
            public var diffID: Digest?
            /// Bytes of the blob.
            public var size: Int64?
            public var createdAt: Timestamp?
        }

        /// The blob's digest.
        public var blob: Digest
        /// The layer below; -1 where that is not said.
        public var parent: Int?
        public var annotations: Annotations?

        /// The blob as manifests refer to it.
        public var descriptor: Descriptor {
            Descriptor(mediaType: annotations?.mediaType ?? .layerTar, digest: blob, size: annotations?.size ?? 0)
        }

        /// The layer in another form, such as a compressed one.
        public mutating func take(_ form: Descriptor) {
            blob = form.digest
            annotations?.mediaType = form.mediaType
            annotations?.size = form.size
        }
    }

    /// A step that was done.
    public struct Record: Codable, Hashable, Sendable {
        /// A layer by its place in the document's list.
        public struct Result: Codable, Hashable, Sendable {
            public var layer: Int
            public var createdAt: Timestamp?
        }

        /// What we remember of a step.
        public struct Step: Codable, Hashable, Sendable {
            /// When it was done.
            public var created: Timestamp
            /// A name for the stack of layers that it was done on.
            public var parent: String
        }

        /// The step's key.
        public var digest: Digest
        /// What it led to; none for a step that changed no files.
        public var layers: [Result]?
        public var strata: Step?
    }

    /// The content of a cache mount (`RUN --mount=type=cache`), as a layer on its own.
    public struct Mount: Codable, Hashable, Sendable {
        /// What tells it from others.
        public var key: Digest
        /// What people call it.
        public var name: String
        /// The layer by its place in the document's list.
        public var layer: Int
    }

    public var layers: [Layer]
    public var records: [Record]
    public var mounts: [Mount]?

    /// A document without content.
    public init() { (layers, records) = ([], []) }

    /// Reads a document; `badDocument` for anything else.
    public init(reading data: Data) throws(OCIError) {
        self = try JSON.decode(CacheDocument.self, from: data)
    }

    /// The document's bytes.
    public func encoded() throws(OCIError) -> Data { try JSON.encode(self) }
}

/// A cache besides the store's own: somebody else's, which may be wrong or gone at any time.
public protocol CacheSource: Sendable {
    /// What it is called in what is shown.
    var name: String { get }
    /// Reads which steps it knows.
    func load() throws -> CacheDocument
    /// Gets a layer into a store, leased, once it has proved to be the one of that digest.
    func fetch(_ layer: CacheDocument.Layer, diffID: Digest, into store: ImageStore) throws -> LayerRecord
}

/// Where the steps of a build are in the store's cache, by their keys.
public struct BuildSteps: Hashable, Sendable {
    /// Those of the stage that became the image, and of those it started from.
    public var target: [String] = []
    /// Those of all stages.
    public var all: [String] = []
    /// The cache mounts of all commands, by their keys, with what people call them.
    public var cacheMounts: [Digest: String] = [:]

    /// No steps.
    public init() {}
}
