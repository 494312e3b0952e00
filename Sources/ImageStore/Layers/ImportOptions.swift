/// What an archive is and how much of it is accepted.
public struct ImportOptions: Hashable, Sendable {
    /// What the archive describes.
    public enum Kind: Hashable, Sendable {
        /// A whole root file system: there is nothing below, whiteouts mean nothing.
        case rootFileSystem
        /// The changes to what lies below: whiteouts hide it. image-spec, "Image Layer Filesystem Changeset".
        case layer
    }

    /// What the archive describes.
    public var kind: Kind
    /// The most entries that are accepted.
    public var maximumEntries: Int
    /// The most bytes of content that are accepted, after decompression.
    public var maximumBytes: Int64

    /// Options with limits that no sound archive meets.
    public init(kind: Kind = .rootFileSystem, maximumEntries: Int = 50_000_000, maximumBytes: Int64 = 1 << 44) {
        self.kind = kind
        self.maximumEntries = maximumEntries
        self.maximumBytes = maximumBytes
    }
}
