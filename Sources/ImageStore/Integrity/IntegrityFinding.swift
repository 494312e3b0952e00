/// Something that `system check` found not to be as it should.
public struct IntegrityFinding: Hashable, Sendable {
    /// What is wrong.
    public enum Kind: String, Hashable, Sendable {
        /// The database contradicts itself.
        case catalog
        /// A manifest or configuration is missing or does not have its digest.
        case document
        /// A manifest or configuration does not fit the image's record.
        case image
        /// The files of a layer are missing or do not have their digest.
        case layer
        /// A layer takes another number of bytes than its record says.
        case size
        /// A container's files are missing.
        case container
        /// Files that no record names.
        case stray
        /// Something unfinished that nobody works on.
        case leftover
    }

    /// What is wrong.
    public var kind: Kind
    /// The object, by ID, digest or path.
    public var object: String
    /// What was found, in a sentence.
    public var message: String
    /// What was done about it; nil where nothing was.
    public var repair: String?
    /// Names (or IDs) of images that cannot be used because of it.
    public var images: [String] = []

    /// One line.
    public var description: String {
        var text = "\(kind.rawValue) \(object): \(message)"
        if !images.isEmpty { text += "; used by \(images.joined(separator: ", "))" }
        if let repair { text += "; \(repair)" }
        return text
    }
}

/// What `system check` looked at, and what it found.
public struct IntegrityReport: Sendable {
    public var findings: [IntegrityFinding] = []
    public var layers = 0
    public var images = 0
    public var containers = 0
    /// Bytes of archives whose digests were computed.
    public var hashedBytes: Int64 = 0
}

/// How `system check` is done.
public struct IntegrityOptions: Sendable {
    /// Whether the digests of layers are left out, which is most of the work.
    public var isQuick = false
    /// Whether what is broken is put into quarantine, and what is superfluous removed.
    public var repairs = false

    /// Thorough, and nothing is changed.
    public init() {}
}
