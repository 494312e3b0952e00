public import FoundationEssentials
import Linux
public import OCI

/// Content stored under its digest: one file per blob, never changed once it has its name.
public struct BlobStore: Sendable {
    private let directory: String
    private let temporary: String

    init(directory: String, temporary: String) {
        self.directory = directory
        self.temporary = temporary
    }

    /// Where a blob is, whether or not it exists.
    public func path(_ digest: Digest) -> String { "\(directory)/\(digest.hex)" }

    /// Whether the blob is stored.
    public func contains(_ digest: Digest) -> Bool {
        (try? FileDescriptor.currentDirectory.status(of: path(digest))) != nil
    }

    /// Stores bytes durably and returns their digest; nothing happens when they are stored already.
    @discardableResult
    public func put(_ content: Data) throws(StoreError) -> Digest {
        let bytes = Array(content)
        let digest = Digest.sha256(of: bytes)
        if contains(digest) { return digest }
        let workshop = try TemporaryDirectory(in: temporary)
        try attempting("cannot write the blob \(digest)") { () throws(Errno) in
            let file = try workshop.descriptor.open("blob", [.create, .exclusive, .writeOnly], mode: 0o600)
            try file.writeAll(bytes)
            try file.sync()
            let home = try FileDescriptor.open(directory, [.directory])
            try workshop.descriptor.rename("blob", to: home, digest.hex)
            try home.sync()
        }
        return digest
    }

    /// The bytes of a blob, verified; `noSuchBlob`, or `corrupt` when they do not have the digest.
    public func read(_ digest: Digest) throws(StoreError) -> Data {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.open(path(digest), [.noFollow]).readAll(limit: 64 << 20)
        } catch {
            if error == .ENOENT { throw StoreError(.noSuchBlob, "there is no blob \(digest) in the store") }
            throw StoreError(error, "cannot read the blob \(digest)")
        }
        guard Digest.sha256(of: bytes) == digest else {
            throw StoreError(.corrupt, "the blob \(digest) is damaged: its content has another digest")
        }
        return Data(bytes)
    }

    /// Removes a blob that no record names any more.
    func remove(_ digest: Digest) throws(StoreError) {
        do throws(Errno) {
            try FileDescriptor.currentDirectory.unlink(path(digest))
        } catch {
            if error != .ENOENT { throw StoreError(error, "cannot remove the blob \(digest)") }
        }
    }
}
