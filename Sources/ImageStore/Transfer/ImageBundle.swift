import Archive
import FoundationEssentials
import Linux
import OCI

/// An image archive or layout that is read: documents and layers by their paths in it.
protocol ImageBundle: AnyObject {
    /// A document's bytes; nil where there is none. `badArchive` for one that is larger than a document may be.
    func document(_ name: String) throws(StoreError) -> Data?

    /// A layer, unpacked and leased; `corrupt` where it is not what its diffID or its digest in the archive says.
    ///
    /// - Parameters:
    ///   - descriptor: what a manifest says of the file; nil where only the configuration speaks of it.
    func layer(_ name: String, diffID: Digest, _ descriptor: Descriptor?) throws(StoreError) -> LayerRecord
}

/// Tells by the first bytes of a file what it may be.
enum ImageFileKind {
    case document, layer, other

    init(_ head: [UInt8], size: Int64) {
        let compressed: [[UInt8]] = [
            [0x1f, 0x8b], Array("BZh".utf8), [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], [0x28, 0xb5, 0x2f, 0xfd],
        ]
        let block = Array(head.prefix(TarHeader.size))
        if compressed.contains(where: { head.starts(with: $0) }) || TarHeader(block) != nil
            || block.count == TarHeader.size && block.allSatisfy({ $0 == 0 })
        {
            self = .layer
        } else if let first = head.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        {
            self = .document
        } else {
            self = .other
        }
    }

    /// Whether a layer that begins like this is compressed.
    static func isPlain(_ head: [UInt8]) -> Bool {
        let block = Array(head.prefix(TarHeader.size))
        return TarHeader(block) != nil || block.allSatisfy { $0 == 0 }
    }
}

/// A source that hashes what passes through it, so that a blob can be told by its digest.
final class HashingSource: ByteSource {
    private let source: any ByteSource
    private var hasher = DigestHasher()

    init(_ source: any ByteSource) { self.source = source }

    func cancel() { source.cancel() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        let count = try source.read(into: buffer)
        hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    /// The digest of all bytes, those included that nobody wanted.
    func finish() throws(ArchiveError) -> (digest: Digest, size: Int64) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 4096)
        defer { buffer.deallocate() }
        while try read(into: buffer) > 0 {}
        return (hasher.finish(), hasher.byteCount)
    }
}

extension ImageStore {
    /// Whether what a manifest says of a layer's file is true of a layer of the store, so that the file need not be
    /// there: it is the layer's own archive, or a form in which a registry had it. Docker's archives say nothing (nil).
    func isForm(_ descriptor: Descriptor?, of layer: LayerRecord) throws(StoreError) -> Bool {
        guard let descriptor else { return true }
        if descriptor.digest == layer.diffID { return descriptor.size == layer.archiveSize }
        return try blobs(of: layer.id).contains {
            $0.descriptor.digest == descriptor.digest && $0.descriptor.size == descriptor.size
        }
    }
}

/// What is checked of a layer wherever it comes from.
enum LayerCheck {
    /// The path as the digest of the blob, where it is one of a layout's.
    static func digest(ofPath name: String) -> Digest? {
        guard name.hasPrefix(ImageArchive.blobs) else { return nil }
        return try? Digest(hex: String(name.dropFirst(ImageArchive.blobs.count)))
    }

    /// Throws `corrupt` where a blob is not what its name says.
    static func require(_ digest: Digest, at name: String) throws(StoreError) {
        if let expected = LayerCheck.digest(ofPath: name), expected != digest {
            throw StoreError(.corrupt, "the archive is damaged: \(name) has the digest \(digest)")
        }
    }

    /// Throws `corrupt` where a file, which links may have led to, is not the one that a descriptor names.
    static func require(_ digest: Digest, is descriptor: Descriptor, at name: String) throws(StoreError) {
        if digest != descriptor.digest {
            throw StoreError(
                .corrupt,
                "the archive is damaged: \(name) has the digest \(digest), the manifest says \(descriptor.digest)")
        }
    }

    /// Throws `corrupt` where a layer is not the one that the configuration lists.
    static func require(_ record: LayerRecord, is diffID: Digest, at name: String) throws(StoreError) {
        if record.diffID != diffID {
            let found = record.diffID.map(\.description) ?? "none"
            throw StoreError(
                .corrupt,
                "the archive is damaged: the layer \(name) has the digest \(found), the configuration says \(diffID)")
        }
    }

    /// Throws `corrupt` where a file's size is not the one that a descriptor says.
    static func require(size: Int64, _ descriptor: Descriptor?, at name: String) throws(StoreError) {
        if let descriptor, descriptor.size != size {
            throw StoreError(
                .corrupt, "the archive is damaged: \(name) has \(size) bytes, the manifest says \(descriptor.size)")
        }
    }
}
