public import Linux
public import OCI

/// What an archive is and how much of it is accepted.
public struct ImportOptions: Hashable, Sendable {
    /// What the archive describes.
    public enum Kind: Hashable, Sendable {
        /// A whole root file system: there is nothing below, whiteouts mean nothing.
        case rootFileSystem
        /// The changes to what lies below: whiteouts hide it. image-spec, "Image Layer Filesystem Changeset".
        case layer
        /// Files like any others, for a directory of an image: what a layer cannot hold is an error that names it.
        case files
    }

    /// What the archive describes.
    public var kind: Kind
    /// Whether the layer is known by the digest of this very archive, which can then be written again byte for byte;
    /// otherwise by that of the canonical archive of its tree.
    public var isExact: Bool
    /// The digest that the uncompressed archive must have; counts only where `isExact`.
    public var expectedDiffID: Digest?
    /// The most entries that are accepted.
    public var maximumEntries: Int
    /// The most bytes that are accepted, after decompression.
    public var maximumBytes: Int64
    /// The most times its size that an archive may unpack to; what unpacks to less than 1 GiB is never refused for it.
    public var maximumRatio: Int64

    /// Options with limits that no sound archive meets.
    public init(
        kind: Kind = .rootFileSystem, isExact: Bool = false, expectedDiffID: Digest? = nil,
        maximumEntries: Int = 50_000_000, maximumBytes: Int64 = 1 << 42, maximumRatio: Int64 = 5000
    ) {
        self.kind = kind
        self.isExact = isExact
        self.expectedDiffID = expectedDiffID
        self.maximumEntries = maximumEntries
        self.maximumBytes = maximumBytes
        self.maximumRatio = maximumRatio
    }

    /// Options with the limits that an environment sets: `STRATA_MAX_LAYER_ENTRIES`, `STRATA_MAX_LAYER_SIZE` (bytes
    /// after decompression) and `STRATA_MAX_LAYER_RATIO`, each a positive number; `badName` for anything else.
    public init(environment: ProcessEnvironment) throws(StoreError) {
        func limit(_ variable: String) throws(StoreError) -> Int64? {
            try environment.nonEmpty(variable).map { text throws(StoreError) in try Self.limit(text, of: variable) }
        }
        self.init()
        if let entries = try limit("STRATA_MAX_LAYER_ENTRIES") { maximumEntries = Int(entries) }
        if let bytes = try limit("STRATA_MAX_LAYER_SIZE") { maximumBytes = bytes }
        if let ratio = try limit("STRATA_MAX_LAYER_RATIO") { maximumRatio = ratio }
    }

    private static func limit(_ text: String, of variable: String) throws(StoreError) -> Int64 {
        guard let number = Int64(text), number > 0 else {
            throw StoreError(.badName, "\(variable) is \"\(text)\", which is no positive number")
        }
        return number
    }
}
