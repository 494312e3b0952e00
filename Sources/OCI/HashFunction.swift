import CCrypto

/// The library that hashes, OpenSSL's libcrypto. It is loaded at the first use, so that commands that hash nothing pay
/// nothing for it.
public enum CryptoLibrary {
    private static let problem: String? = ccrypto_load().map { String(cString: $0) }

    /// To be called before anybody else uses libcrypto, which would set it up otherwise.
    public static func prepare() { _ = problem }

    /// Loads it at the first call; without it the process ends.
    fileprivate static func load() {
        if let problem { ccrypto_give_up(problem + "; install the package libssl3") }
    }
}

/// A SHA-256 under way.
///
/// Changed only by somebody who has the only reference to it, hence sendable.
final class HashFunction: @unchecked Sendable {
    private let hash: OpaquePointer

    /// One that has seen nothing.
    init() {
        CryptoLibrary.load()
        guard let hash = ccrypto_hash_new() else { HashFunction.giveUp() }
        self.hash = hash
    }

    /// One that has seen what another has.
    init(copying other: HashFunction) {
        guard let hash = ccrypto_hash_copy(other.hash) else { HashFunction.giveUp() }
        self.hash = hash
    }

    deinit { ccrypto_hash_free(hash) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        if ccrypto_hash_update(hash, start, bytes.count) == 0 { HashFunction.giveUp() }
    }

    /// Gives the 32 bytes of the digest to `body`; nothing may be added afterwards.
    func finish<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        withUnsafeTemporaryAllocation(byteCount: Int(ccrypto_hash_size), alignment: 8) { room in
            if ccrypto_hash_finish(hash, room.baseAddress) == 0 { HashFunction.giveUp() }
            return body(UnsafeRawBufferPointer(room))
        }
    }

    private static func giveUp() -> Never { ccrypto_give_up("there is no memory left") }
}
