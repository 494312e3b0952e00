import FoundationEssentials
public import ImageStore
import Linux
public import OCI

/// A cache in a directory: an OCI layout with a manifest whose configuration is a `CacheDocument`.
public struct LocalCache: CacheSource {
    private let directory: String
    private let tag: String
    private let digest: Digest?
    private let limits: ImportOptions

    /// Names a cache.
    ///
    /// - Parameters:
    ///   - tag: the name that the layout's index has for it.
    ///   - digest: of its manifest, where that counts and not the tag.
    ///   - limits: of the archives that are taken from it.
    public init(
        directory: String, tag: String = "latest", digest: Digest? = nil, limits: ImportOptions = ImportOptions()
    ) {
        self.directory = directory
        self.tag = tag
        self.digest = digest
        self.limits = limits
    }

    public var name: String { directory }

    private static let tagAnnotation = "org.opencontainers.image.ref.name"
    private static let documentLimit = 16 << 20

    // MARK: Reading

    public func load() throws -> CacheDocument {
        let index = try JSON.decode(Index.self, from: try read("index.json", limit: Self.documentLimit))
        let wanted = index.manifests.first { descriptor in
            digest.map { $0 == descriptor.digest } ?? (descriptor.annotations?[Self.tagAnnotation] == tag)
        }
        guard let descriptor = wanted else {
            throw BuildError(.store, "there is no cache \(digest?.description ?? tag) in \(directory)")
        }
        let content = try blob(descriptor.digest, limit: Self.documentLimit)
        // BuildKit has written indexes that list the layers beside the configuration.
        let configuration =
            descriptor.mediaType.isIndex
            ? try JSON.decode(Index.self, from: content).manifests.first { $0.mediaType == CacheDocument.mediaType }
            : try JSON.decode(Manifest.self, from: content).config
        guard let configuration, configuration.mediaType == CacheDocument.mediaType else {
            throw BuildError(.store, "\(descriptor.digest) in \(directory) is no build cache")
        }
        return try CacheDocument(reading: try blob(configuration.digest, limit: CacheDocument.maximumSize))
    }

    public func fetch(
        _ layer: CacheDocument.Layer, diffID: Digest, into store: ImageStore
    ) throws -> LayerRecord {
        let file = try open("blobs/sha256/" + layer.blob.hex)
        var options = limits
        (options.kind, options.isExact, options.expectedDiffID) = (.layer, true, diffID)
        return try store.importLayer(from: file, options: options)
    }

    /// Opens a file of the layout; links do not lead out of it.
    private func open(_ name: String) throws(BuildError) -> FileDescriptor {
        try attempting("read \(directory)/\(name)") { () throws(Errno) in
            let file = try FileDescriptor.open(directory, [.directory])
                .open(name, [.nonBlocking], resolve: [.inRoot, .noMagicLinks])
            guard try file.status().isRegular else { throw .EINVAL }
            return file
        }
    }

    private func read(_ name: String, limit: Int) throws(BuildError) -> Data {
        let file = try open(name)
        return Data(try attempting("read \(directory)/\(name)") { () throws(Errno) in try file.readAll(limit: limit) })
    }

    private func blob(_ digest: Digest, limit: Int) throws(BuildError) -> Data {
        let content = try read("blobs/sha256/" + digest.hex, limit: limit)
        guard Digest.sha256(of: content) == digest else {
            throw BuildError(.store, "the cache in \(directory) is damaged: \(digest) has another digest")
        }
        return content
    }

    // MARK: Writing

    /// Writes a cache under its tag; what else is in the directory stays. Layers that are there are not written again.
    public func write(_ document: CacheDocument, _ layers: [LayerRecord], of store: ImageStore) throws(BuildError) {
        let blobs = directory + "/blobs/sha256"
        for path in [directory, directory + "/blobs", blobs] {
            do throws(Errno) {
                try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o755)
            } catch {
                if error != .EEXIST { throw BuildError("create \(path)", error) }
            }
        }
        for layer in layers {
            guard let diffID = layer.diffID else { continue }
            let path = "\(blobs)/\(diffID.hex)"
            let status = try? FileDescriptor.currentDirectory.status(of: path)
            if status?.size == layer.archiveSize { continue }
            try replace(path) { (file: borrowing FileDescriptor) throws(BuildError) in
                try Self.write(layer, of: store, to: file)
            }
        }
        let (configuration, manifest, index) = try documents(document)
        for content in [configuration, manifest] {
            try put(content, at: "\(blobs)/\(Digest.sha256(of: content).hex)")
        }
        try put(Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), at: directory + "/oci-layout")
        try put(index, at: directory + "/index.json")
    }

    private static func write(
        _ layer: LayerRecord, of store: ImageStore, to file: borrowing FileDescriptor
    ) throws(BuildError) {
        let number = file.rawValue
        _ = try fromStore { () throws(StoreError) in
            try store.writeArchive(of: layer.id) { (piece) throws(StoreError) in
                do throws(Errno) {
                    try BorrowedDescriptor(number).writeAll(piece)
                } catch {
                    throw StoreError(.io, "cannot write the cache: \(error)")
                }
            }
        }
    }

    /// The configuration, the manifest, and the layout's index with the manifest in it.
    private func documents(_ document: CacheDocument) throws(BuildError) -> (Data, Data, Data) {
        do throws(OCIError) {
            let configuration = try document.encoded()
            let manifest = try JSON.encode(
                Manifest(
                    config: Descriptor(
                        mediaType: CacheDocument.mediaType, digest: .sha256(of: configuration),
                        size: Int64(configuration.count)), layers: document.layers.map(\.descriptor)))
            var descriptor = Descriptor(
                mediaType: .imageManifest, digest: .sha256(of: manifest), size: Int64(manifest.count))
            descriptor.annotations = [Self.tagAnnotation: tag]
            let old = (try? read("index.json", limit: Self.documentLimit)).flatMap {
                try? JSON.decode(Index.self, from: $0)
            }
            var index = old ?? Index(manifests: [])
            index.manifests.removeAll { $0.annotations?[Self.tagAnnotation] == tag }
            index.manifests.append(descriptor)
            return (configuration, manifest, try JSON.encode(index))
        } catch {
            throw BuildError(.store, error.message)
        }
    }

    private func put(_ content: Data, at path: String) throws(BuildError) {
        try replace(path) { (file: borrowing FileDescriptor) throws(BuildError) in
            try attempting("write \(path)") { () throws(Errno) in try file.writeAll(Array(content)) }
        }
    }

    /// Writes a file beside its place, and moves it there: nobody sees half of it.
    private func replace(
        _ path: String, _ body: (borrowing FileDescriptor) throws(BuildError) -> Void
    ) throws(BuildError) {
        let place = "\(path).new-\(RandomName.hex(digits: 12))"
        do throws(BuildError) {
            let file = try attempting("write \(place)") { () throws(Errno) in
                try FileDescriptor.open(place, [.writeOnly, .create, .exclusive], mode: 0o644)
            }
            try body(file)
            try attempting("write \(path)") { () throws(Errno) in
                try file.sync()
                try FileDescriptor.currentDirectory.rename(place, to: FileDescriptor.currentDirectory, path)
            }
        } catch {
            try? FileDescriptor.currentDirectory.unlink(place)
            throw error
        }
    }
}
