import CCrypto

/// The library that hashes, OpenSSL's libcrypto. It is made ready at the first use, so that commands that hash nothing
/// pay nothing for it.
public enum CryptoLibrary {
    /// SHA-256 as libcrypto implements it for this processor.
    ///
    /// From a context of our own: that one reads no configuration, while TLS still follows the machine's `openssl.cnf`.
    fileprivate nonisolated(unsafe) static let sha256: OpaquePointer = {
        prepare()
        guard let library = OSSL_LIB_CTX_new(), let function = EVP_MD_fetch(library, "SHA256", nil) else {
            ccrypto_give_up()
        }
        return function
    }()

    /// To be called before anybody else uses libcrypto. By itself it would clean up in `exit(3)`, while threads may still
    /// be hashing.
    public static func prepare() { OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) }
}

/// A SHA-256 under way.
///
/// Changed only by somebody who has the only reference to it, hence sendable.
final class HashFunction: @unchecked Sendable {
    static let byteCount = 32
    private let context: OpaquePointer

    /// One that has seen nothing.
    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex2(context, CryptoLibrary.sha256, nil) == 1 else {
            ccrypto_give_up()
        }
        self.context = context
    }

    /// One that has seen what another has.
    init(copying other: HashFunction) {
        guard let context = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(context, other.context) == 1 else {
            ccrypto_give_up()
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        if EVP_DigestUpdate(context, start, bytes.count) != 1 { ccrypto_give_up() }
    }

    /// Gives the 32 bytes of the digest to `body`; nothing may be added afterwards.
    func finish<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        withUnsafeTemporaryAllocation(byteCount: HashFunction.byteCount, alignment: 8) { room in
            let start = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            if EVP_DigestFinal_ex(context, start, nil) != 1 { ccrypto_give_up() }
            return body(UnsafeRawBufferPointer(room))
        }
    }
}
