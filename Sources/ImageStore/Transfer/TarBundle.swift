import Archive
import FoundationEssentials
import Linux
import OCI
import Synchronization

/// An image archive that is read once from beginning to end: layers are unpacked as they come, whatever manifest there
/// may be; Docker writes it last.
final class TarBundle: ImageBundle {
    private let store: ImageStore
    private let options: ImportOptions
    private let reader: TarReader
    /// Documents wait here for whoever asks for them.
    private let workshop: TemporaryDirectory
    private var documents: [String: Int] = [:]
    private var documentCount = 0
    /// Layers with the digests of their files, which may be compressed.
    private var layers: [String: (record: LayerRecord, digest: Digest)] = [:]
    /// Layers that cannot be used, which is a fault only when an image needs them.
    private var failures: [String: StoreError] = [:]
    private var sizes: [String: Int64] = [:]
    private var links: [String: String] = [:]

    /// Reads everything.
    init(_ source: any ByteSource, store: ImageStore, options: ImportOptions) throws(StoreError) {
        self.store = store
        self.options = options
        workshop = try store.makeTemporaryDirectory()
        let limits = StreamLimits(maximumBytes: .max, maximumRatio: options.maximumRatio)
        reader = try fromArchive { () throws(ArchiveError) in
            TarReader(
                try DecompressedStream(source, limits: limits, hashes: false),
                maximumEntries: ImageArchive.maximumEntries)
        }
        while let entry = try fromArchive({ () throws(ArchiveError) in try reader.next() }) { try read(entry) }
        _ = try fromArchive { () throws(ArchiveError) in try reader.finish() }
    }

    private func read(_ entry: TarEntry) throws(StoreError) {
        // Names are kept until the end.
        if max(entry.path.count, entry.target.count) > ImageArchive.maximumName {
            throw StoreError(
                .badArchive,
                "the archive cannot be used: the name \(entry.printablePath) has more than \(ImageArchive.maximumName) "
                    + "bytes, or leads to one that has")
        }
        let name = try fromArchive { () throws(ArchiveError) in try ArchivePath(entry.path).description }
        switch entry.kind {
        case .file: break
        case .symbolicLink, .hardLink:
            // Docker before version 25 writes a layer that several images have once, and links to it.
            forget(name)
            links[name] = TarBundle.resolve(entry, from: name)
            return
        default: return
        }
        if entry.extents != nil {
            throw StoreError(.badArchive, "the archive cannot be used: \(name) is stored with holes")
        }
        forget(name)
        sizes[name] = entry.size
        let content = try fromArchive { () throws(ArchiveError) in try EntrySource(reader) }
        switch ImageFileKind(content.head, size: entry.size) {
        case .document: try keepDocument(content, name, entry.size)
        case .layer: try unpack(content, name)
        case .other: break
        }
    }

    /// The later one of two entries counts.
    private func forget(_ name: String) {
        (documents[name], layers[name], failures[name], links[name], sizes[name]) = (nil, nil, nil, nil, nil)
    }

    private func keepDocument(_ content: EntrySource, _ name: String, _ size: Int64) throws(StoreError) {
        if size > ImageArchive.maximumDocument {
            failures[name] = StoreError(
                .badArchive,
                "the archive cannot be used: \(name) has \(size) bytes, more than the \(ImageArchive.maximumDocument) "
                    + "that a document may have")
            return
        }
        let bytes = try fromArchive { () throws(ArchiveError) in try content.readAll() }
        let number = documentCount
        documentCount += 1
        try attempting("keep \(name) of the archive") { () throws(Errno) in
            let file = try workshop.descriptor.open("\(number)", [.create, .exclusive, .writeOnly], mode: 0o600)
            try file.writeAll(bytes)
        }
        documents[name] = number
    }

    private func unpack(_ content: EntrySource, _ name: String) throws(StoreError) {
        let isPlain = ImageFileKind.isPlain(content.head)
        // The digest of a layer that is not compressed is its diffID; skopeo names files by it as well.
        let stem = name.hasSuffix(".tar") ? String(name.dropLast(4)) : ""
        if isPlain, let diffID = LayerCheck.digest(ofPath: name) ?? (try? Digest(hex: stem)),
            let known = try store.leaseUsable(diffID: diffID)
        {
            layers[name] = (known, diffID)
            return
        }
        var options = options
        (options.kind, options.isExact) = (.layer, true)
        do throws(StoreError) {
            if isPlain {
                let record = try store.importLayer(from: content, options: options)
                guard let diffID = record.diffID else { return }
                try LayerCheck.require(diffID, at: name)
                layers[name] = (record, diffID)
            } else {
                let source = HashingSource(content)
                let record = try store.importLayer(from: source, options: options)
                let digest = try fromArchive { () throws(ArchiveError) in try source.finish() }.digest
                try LayerCheck.require(digest, at: name)
                layers[name] = (record, digest)
            }
        } catch {
            guard error.code == .badArchive || error.code == .corrupt else { throw error }
            failures[name] = error
        }
    }

    // MARK: Asking

    func document(_ name: String) throws(StoreError) -> Data? {
        let name = followed(name)
        if let failure = failures[name] { throw failure }
        guard let number = documents[name] else { return nil }
        let bytes = try attempting("read \(name) of the archive") { () throws(Errno) in
            try workshop.descriptor.open("\(number)").readAll(limit: ImageArchive.maximumDocument)
        }
        return Data(bytes)
    }

    func layer(_ name: String, diffID: Digest, _ descriptor: Descriptor?) throws(StoreError) -> LayerRecord {
        let path = followed(name)
        if let size = sizes[path] { try LayerCheck.require(size: size, descriptor, at: name) }
        if let failure = failures[path] { throw failure }
        // No bytes at all are a layer without entries, where a manifest says so.
        if sizes[path] == 0 { try unpack(EntrySource(), path) }
        guard let (record, digest) = layers[path] else {
            // An archive may leave out what the receiver has.
            if sizes[path] == nil, let known = try store.leaseUsable(diffID: diffID),
                try store.isForm(descriptor, of: known)
            {
                return known
            }
            let why = sizes[path] == nil ? "it lacks the layer \(name)" : "its file \(name) is no layer"
            throw StoreError(.badArchive, "the archive cannot be used: \(why)")
        }
        if let descriptor { try LayerCheck.require(digest, is: descriptor, at: name) }
        try LayerCheck.require(record, is: diffID, at: name)
        return record
    }

    /// The file that a name leads to.
    private func followed(_ name: String) -> String {
        var name = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
        // More in a row, or a circle, lead nowhere.
        for _ in 0..<40 {
            guard let next = links[name] else { break }
            name = next
        }
        return name
    }

    private static func resolve(_ entry: TarEntry, from name: String) -> String {
        let target = String(decoding: entry.target, as: UTF8.self)
        var components = entry.kind == .hardLink || target.hasPrefix("/") ? [] : name.split(separator: "/").dropLast()
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { _ = components.popLast() } else { components.append(part) }
        }
        return components.joined(separator: "/")
    }
}

/// The content of the entry that a reader is at.
private final class EntrySource: ByteSource {
    /// The first bytes, up to 512.
    let head: [UInt8]
    private var headPosition = 0
    private let reader: TarReader?
    private let isCancelled = Atomic(false)

    /// No content.
    init() {
        head = []
        reader = nil
    }

    init(_ reader: TarReader) throws(ArchiveError) {
        self.reader = reader
        var head: [UInt8] = []
        while head.count < TarHeader.size {
            let piece = try reader.nextPiece(TarHeader.size - head.count)
            if piece.isEmpty { break }
            head.append(contentsOf: piece)
        }
        self.head = head
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        if isCancelled.load(ordering: .relaxed) { return 0 }
        if headPosition < head.count {
            let rest = head[headPosition...].prefix(buffer.count)
            buffer.copyBytes(from: rest)
            headPosition += rest.count
            return rest.count
        }
        guard let reader else { return 0 }
        let piece = try reader.nextPiece(buffer.count)
        buffer.copyBytes(from: piece)
        return piece.count
    }

    func readAll() throws(ArchiveError) -> [UInt8] {
        var bytes = head
        while true {
            guard let piece = try reader?.nextPiece(1 << 20), !piece.isEmpty else { return bytes }
            bytes.append(contentsOf: piece)
        }
    }
}
