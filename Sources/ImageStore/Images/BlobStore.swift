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

    /// Where a blob is, from the store's directory.
    static func relativePath(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    /// Bytes of the blocks that a blob takes; 0 where it is missing.
    func diskUsage(_ digest: Digest) -> Int64 {
        (try? FileDescriptor.currentDirectory.status(of: path(digest)).allocatedSize) ?? 0
    }

    /// Whether the blob is stored and has its digest.
    func isIntact(_ digest: Digest) -> Bool { (try? read(digest)) != nil }

    /// Stores bytes durably and returns their digest. A blob that is there already stays, unless it is damaged.
    @discardableResult
    public func put(_ content: Data) throws(StoreError) -> Digest {
        let bytes = Array(content)
        let digest = Digest.sha256(of: bytes)
        if isIntact(digest) {
            // Somebody else may have put it there a moment ago.
            try attempting("write the blob \(digest)") { () throws(Errno) in
                try FileDescriptor.open(directory, [.directory]).sync()
            }
            return digest
        }
        let workshop = try TemporaryDirectory(in: temporary)
        try attempting("write the blob \(digest)") { () throws(Errno) in
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
            if error == .EFBIG { throw StoreError(.corrupt, "the blob \(digest) is damaged: it is too large") }
            throw StoreError("read the blob \(digest)", error)
        }
        guard Digest.sha256(of: bytes) == digest else {
            throw StoreError(.corrupt, "the blob \(digest) is damaged: its content has another digest")
        }
        return Data(bytes)
    }
}
