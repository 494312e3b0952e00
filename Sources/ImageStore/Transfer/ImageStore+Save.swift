import Archive
import FoundationEssentials
import Linux
public import OCI

/// An image to be saved, and under which names.
public struct SavedImage: Hashable, Sendable {
    /// The image.
    public var image: ImageRecord
    /// Names with tags; none where it is saved by its ID only.
    public var references: [Reference]
    /// What the index says of the image besides its names.
    public var annotations: [String: String] = [:]
}

extension ImageStore {
    /// The images that a user names for saving, sorted, each once: a name without a tag means all tags of that
    /// repository, and an ID an image without a name, as Docker has it.
    public func imagesToSave(_ names: [String]) throws(StoreError) -> [SavedImage] {
        var found: [Digest: SavedImage] = [:]
        var all: [ImageRecord]?
        func add(_ image: ImageRecord, _ reference: Reference?) {
            var saved = found[image.id] ?? SavedImage(image: image, references: [])
            if let reference, !saved.references.contains(reference) { saved.references.append(reference) }
            found[image.id] = saved
        }
        for name in names {
            let reference = try? Reference(parsing: name, defaultTag: nil)
            if let reference, reference.tag == nil, reference.digest == nil {
                let images: [ImageRecord]
                if let all { images = all } else { images = try self.images() }
                all = images
                var isRepository = false
                for image in images {
                    for tagged in image.references where tagged.name == reference.name {
                        add(image, tagged)
                        isRepository = true
                    }
                }
                if isRepository { continue }
            }
            let image = try image(matching: name)
            add(image, image.references.first { $0 == reference })
        }
        for id in found.keys { found[id]?.references.sort { $0.description < $1.description } }
        return found.values.sorted { left, right in
            (left.references.first?.description ?? "", left.image.id)
                < (right.references.first?.description ?? "", right.image.id)
        }
    }

    /// Writes images as a tar archive to `sink`, in pieces of up to 1 MiB; the same images always give the same bytes.
    ///
    /// Layers are written uncompressed, byte for byte what their diffIDs name, straight from the store.
    ///
    /// - Parameter format: `docker` or `oci`.
    public func save(
        _ images: [SavedImage], format: ImageArchiveFormat,
        to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let leases = session()
        try leases.lease(images.flatMap(\.image.layerIDs))
        defer { try? leases.releaseLeases() }
        let contents = try ImageArchiveContents(images, format: format, store: self)
        for directory in ["blobs/", ImageArchive.blobs] {
            try ImageStore.send(
                TarHeaderWriter(typeFlag: UInt8(ascii: "5"), path: Array(directory.utf8), permissions: 0o755).encoded(),
                to: sink)
        }
        for (name, file) in contents.files.sorted(by: { $0.key < $1.key }) {
            var header = TarHeaderWriter(typeFlag: UInt8(ascii: "0"), path: Array(name.utf8), permissions: 0o644)
            switch file {
            case .document(let data):
                header.size = Int64(data.count)
                try ImageStore.send(header.encoded() + Array(data), to: sink)
            case .layer(let record):
                header.size = record.archiveSize
                try ImageStore.send(header.encoded(), to: sink)
                try writeArchive(of: record, to: sink)
            }
            try ImageStore.send([UInt8](repeating: 0, count: Int((512 - header.size % 512) % 512)), to: sink)
        }
        try ImageStore.send([UInt8](repeating: 0, count: 1024), to: sink)
    }

    /// Writes images as an OCI layout. The directory must not exist or be empty; it appears when it is complete.
    public func save(_ images: [SavedImage], toDirectory path: String) throws(StoreError) {
        let leases = session()
        try leases.lease(images.flatMap(\.image.layerIDs))
        defer { try? leases.releaseLeases() }
        let contents = try ImageArchiveContents(images, format: .directory, store: self)
        var trimmed = Substring(path)
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        let unfinished = "\(trimmed).strata-\(RandomName.hex(digits: 16))"
        do throws(StoreError) {
            try attempting("create \(unfinished)") { () throws(Errno) in
                for directory in ["", "/blobs", "/blobs/sha256"] {
                    try FileDescriptor.currentDirectory.makeDirectory(unfinished + directory, mode: 0o755)
                }
            }
            for (name, file) in contents.files { try write(file, to: "\(unfinished)/\(name)") }
            try attempting("create \(path)") { () throws(Errno) in
                try FileDescriptor.open(unfinished, [.directory]).syncFileSystem()
                try FileDescriptor.currentDirectory.rename(unfinished, to: .currentDirectory, String(trimmed))
            }
        } catch {
            try? FileDescriptor.currentDirectory.removeTree(unfinished)
            throw error
        }
    }

    private func write(_ file: ImageArchiveFile, to path: String) throws(StoreError) {
        let target = try attempting("create \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.create, .exclusive, .writeOnly], mode: 0o644)
        }
        switch file {
        case .document(let data):
            try attempting("write \(path)") { () throws(Errno) in try target.writeAll(Array(data)) }
        case .layer(let record):
            let number = target.rawValue
            try writeArchive(of: record) { (piece) throws(StoreError) in
                try attempting("write \(path)") { () throws(Errno) in
                    try BorrowedDescriptor(number).writeAll(piece)
                }
            }
        }
        // The descriptor was used by its number.
        withExtendedLifetime(target.rawValue) {}
    }

    /// As `writeArchive(of:)`, and no byte more or less than the record says, which a header has announced already.
    private func writeArchive(
        of record: LayerRecord, to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let summary = try writeArchive(of: record.id, to: sink)
        if summary.archiveSize != record.archiveSize {
            throw StoreError(
                .corrupt,
                "the layer \(record.id) is damaged: its archive has \(summary.archiveSize) bytes, not \(record.archiveSize)"
            )
        }
    }

    private static func send(
        _ bytes: [UInt8], to sink: (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(StoreError) in try sink(buffer) }
        }
        try outcome.get()
    }
}
