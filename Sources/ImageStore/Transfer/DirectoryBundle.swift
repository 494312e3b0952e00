import Archive
import FoundationEssentials
import Linux
import OCI

/// An OCI layout, or an unpacked Docker archive, in a directory. Only what images need is read.
final class DirectoryBundle: ImageBundle {
    private let store: ImageStore
    private let options: ImportOptions
    private let directory: FileDescriptor

    init(_ path: String, store: ImageStore, options: ImportOptions) throws(StoreError) {
        self.store = store
        self.options = options
        directory = try attempting("open \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.directory])
        }
    }

    func document(_ name: String) throws(StoreError) -> Data? {
        guard let file = try open(name) else { return nil }
        do throws(Errno) {
            return Data(try file.readAll(limit: ImageArchive.maximumDocument))
        } catch {
            if error == .EFBIG {
                throw StoreError(
                    .badArchive,
                    "the layout cannot be used: \(name) has more than the \(ImageArchive.maximumDocument) bytes that a "
                        + "document may have")
            }
            throw StoreError("read \(name) of the layout", error)
        }
    }

    func layer(_ name: String, diffID: Digest, _ descriptor: Descriptor?) throws(StoreError) -> LayerRecord {
        // What the store has need not be read again, unless the manifest speaks of another file.
        if let known = try store.leaseUsable(diffID: diffID), try store.isForm(descriptor, of: known) { return known }
        guard let file = try open(name) else {
            throw StoreError(.badArchive, "the layout cannot be used: it lacks the layer \(name)")
        }
        let size = try attempting("read \(name) of the layout") { () throws(Errno) in try file.status().size }
        try LayerCheck.require(size: size, descriptor, at: name)
        var options = options
        (options.kind, options.isExact, options.expectedDiffID) = (.layer, true, diffID)
        let source = HashingSource(FileSource(owning: file))
        let record = try store.importLayer(from: source, options: options)
        let digest = try fromArchive { () throws(ArchiveError) in try source.finish() }.digest
        try LayerCheck.require(digest, at: name)
        return record
    }

    /// Opens a file within the directory; nil where there is none.
    private func open(_ name: String) throws(StoreError) -> FileDescriptor? {
        do throws(Errno) {
            let file = try directory.open(name, [.nonBlocking], resolve: [.inRoot, .noMagicLinks])
            if try file.status().isRegular { return file }
        } catch {
            switch error {
            case .ENOENT, .ENOTDIR: return nil
            case .ENAMETOOLONG, .ELOOP: break
            default: throw StoreError("open \(name) of the layout", error)
            }
        }
        throw StoreError(.badArchive, "the layout cannot be used: \(name.prefix(200)) is no file")
    }
}
