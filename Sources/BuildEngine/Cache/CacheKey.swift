import OCI

/// What the result of a step depends on, as one hash: the step before, the instruction, and for copied files their
/// content. Equal keys mean that an earlier result can be used.
struct CacheKey: Hashable, Sendable, CustomStringConvertible {
    let digest: Digest

    /// The form in which records are found.
    var description: String { "step:" + digest.hex }

    /// The key of an image that a stage starts from: its layers and its configuration.
    static func image(_ configuration: Digest, layers: [Digest]) -> CacheKey {
        var fields = KeyHasher("image")
        fields.add(configuration.hex)
        fields.add(layers.map(\.hex))
        return CacheKey(digest: fields.finish())
    }

    /// The key of an image without layers.
    static let scratch = CacheKey(digest: .sha256(of: "strata scratch"))

    /// What layers stand on that depend on nothing below them.
    static let independent = CacheKey(digest: .sha256(of: "strata independent"))

    /// The key of a step.
    /// - Parameters:
    ///   - kind: the instruction's name.
    ///   - definition: everything that the instruction says, variables expanded, and what it uses of the stage's state.
    ///   - content: the digest of the files that it copies.
    func step(_ kind: String, definition: [[String]], content: Digest? = nil) -> CacheKey {
        var fields = KeyHasher("step")
        fields.add(digest.hex)
        fields.add(kind)
        for list in definition { fields.add(list) }
        fields.add(content?.hex ?? "")
        return CacheKey(digest: fields.finish())
    }
}

/// Hashes a sequence of fields so that different sequences never give the same bytes: each field has its length before it.
struct KeyHasher {
    private var hasher = DigestHasher()
    private var pending: [UInt8] = []

    /// - Parameter domain: what is hashed; things of different kinds never have equal hashes.
    init(_ domain: String) {
        pending.reserveCapacity(1 << 16)
        add("strata 1 " + domain)
    }

    mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { pending.append(contentsOf: $0) }
        if pending.count > 1 << 16 { flush() }
    }

    mutating func add(_ bytes: some Collection<UInt8>) {
        add(UInt64(bytes.count))
        pending.append(contentsOf: bytes)
        if pending.count > 1 << 16 { flush() }
    }

    mutating func add(_ text: String) { add(text.utf8) }

    mutating func add(_ list: [String]) {
        add(UInt64(list.count))
        for text in list { add(text) }
    }

    private mutating func flush() {
        hasher.update(pending)
        pending.removeAll(keepingCapacity: true)
    }

    mutating func finish() -> Digest {
        flush()
        return hasher.finish()
    }
}
