import ImageStore
import LayerTree
import Linux
import OCI
import Runtime

/// Gets contexts that are no directories here, for the time of a build.
final class ContextSupply {
    private let store: ImageStore
    private let download: FileDownload?
    private let cancellation: Cancellation?
    private let reporter: ProgressReporter
    private var scratch: TemporaryDirectory?
    private var count = 0

    /// What an address or a stream holds.
    private enum Content {
        case directory(String)
        case dockerfile([UInt8])
    }

    init(
        _ store: ImageStore, download: FileDownload?, cancellation: Cancellation?, reporter: ProgressReporter
    ) {
        self.store = store
        self.download = download
        self.cancellation = cancellation
        self.reporter = reporter
    }

    /// The options with directories in place of all that is elsewhere; they are there as long as this object is.
    func supply(_ options: BuildOptions) throws(BuildError) -> BuildOptions {
        var options = options
        if let remote = options.remoteContext {
            let content: Content =
                switch remote {
                case .address(let text): try get(text)
                case .descriptor(let number): try receive(number)
                }
            switch content {
            case .directory(let path): options.context = path
            case .dockerfile(let bytes):
                options.context = nil
                options.remoteContext = nil
                if options.dockerfile == .standard { options.dockerfile = .text(bytes) }
            }
        }
        for (name, context) in options.namedContexts {
            guard case .remote(let text) = context else { continue }
            guard case .directory(let path) = try get(text) else {
                throw BuildError(.noContext, "the context \(name), \(text), is no archive and no repository")
            }
            options.namedContexts[name] = .directory(path)
        }
        return options
    }

    private func place() throws(BuildError) -> String {
        let directory: TemporaryDirectory
        if let scratch { directory = scratch } else { directory = try fromStore(store.makeTemporaryDirectory) }
        scratch = directory
        count += 1
        return "\(directory.path)/context-\(count)"
    }

    private func checkpoint() throws(BuildError) {
        if cancellation?.isCancelled == true { throw BuildError(.cancelled, "the build was cancelled") }
    }

    // MARK: Addresses

    private func get(_ text: String) throws(BuildError) -> Content {
        let step = reporter.start("[internal] load remote build context")
        do throws(BuildError) {
            let content: Content
            if let reference = GitReference(text) {
                content = try checkOut(reference)
            } else {
                let path = try place()
                _ = try fetch(text, to: path, with: download)
                content = try open(path, text)
            }
            reporter.finish(step)
            return content
        } catch {
            reporter.fail(step, error)
            throw error
        }
    }

    private func checkOut(_ reference: GitReference) throws(BuildError) -> Content {
        let path = try place()
        let checkout = GitCheckout(directory: path, log: path + ".log", checkpoint: checkpoint)
        _ = try checkout.run(reference, expected: nil, keepsMetadata: false)
        if reference.directory.isEmpty { return .directory(path) }
        // A link of the repository leads nowhere else.
        let location = try attempting("read \(path)") { () throws(Errno) in
            try TreeDirectory(directory: path).resolve(TreePath.names(reference.directory))
        }
        guard let location, location.isDirectory else {
            throw BuildError(.noContext, "\(reference.address) has no directory \(reference.directory)")
        }
        return .directory(path + TreePath.text(location.path))
    }

    // MARK: Streams

    /// Takes what comes from a descriptor: kept in a file, because its first bytes tell what it is.
    private func receive(_ number: Int32) throws(BuildError) -> Content {
        let path = try place()
        try attempting("read the context from standard input") { () throws(Errno) in
            let source = BorrowedDescriptor(number)
            let file = try FileDescriptor.open(path, [.create, .exclusive, .writeOnly], mode: 0o600)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
            defer { buffer.deallocate() }
            while true {
                let count = try source.read(into: buffer)
                if count == 0 { return }
                try file.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        return try open(path, "standard input")
    }

    private func open(_ path: String, _ name: String) throws(BuildError) -> Content {
        let file = try attempting("read \(path)") { () throws(Errno) in SharedDescriptor(try FileDescriptor.open(path))
        }
        guard try attempting("read \(path)", { () throws(Errno) in try ArchiveSniffer.mayBeArchive(file.descriptor) })
        else {
            return .dockerfile(
                try attempting("read \(path)") { () throws(Errno) in try file.descriptor.readAll(limit: 64 << 20) })
        }
        do throws(StoreError) {
            // Unpacked as `ADD` unpacks: nothing is written outside, and it goes with what is not used any more.
            return .directory(
                store.layerPath(try store.importLayer(from: file.descriptor, options: ImportOptions(kind: .files)).id))
        } catch {
            if error.code == .badArchive {
                throw BuildError(.badArchive, "cannot unpack the context from \(name): \(error.message)")
            }
            throw BuildError(error)
        }
    }
}
