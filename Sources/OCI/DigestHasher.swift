/// Computes a digest from bytes that arrive piece by piece.
///
/// Pieces of 64 KiB and more keep the hash at the speed of the processor's SHA instructions.
public struct DigestHasher: Sendable {
    private var function = HashFunction()
    /// How many bytes were taken so far.
    public private(set) var byteCount: Int64 = 0

    /// A hasher that has seen nothing.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&function) { function = HashFunction(copying: function) }
        function.update(bytes)
        byteCount &+= Int64(bytes.count)
    }

    /// Takes the next bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of all bytes taken so far; more may follow.
    public func finish() -> Digest { withDigestBytes { Digest(bytes: $0) } }

    /// Gives the 32 bytes of the digest of all bytes taken so far to `body`; more may follow.
    public func withDigestBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        HashFunction(copying: function).finish(body)
    }
}

extension Digest {
    /// The SHA-256 of bytes in memory.
    public static func sha256(of bytes: some Sequence<UInt8>) -> Digest {
        var hasher = DigestHasher()
        if bytes.withContiguousStorageIfAvailable({ hasher.update(UnsafeRawBufferPointer($0)) }) == nil {
            hasher.update(Array(bytes))
        }
        return hasher.finish()
    }

    /// The SHA-256 of a text's UTF-8 bytes.
    public static func sha256(of text: String) -> Digest {
        sha256(of: Array(text.utf8))
    }
}
