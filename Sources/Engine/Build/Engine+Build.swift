package import BuildEngine
package import Distribution
package import ImageStore
import Linux
import OCI
import Registry
package import Runtime
import Synchronization

/// A build, and what becomes of its image.
package struct BuildRequest: Sendable {
    /// What is built, and how.
    package var options: BuildOptions
    package var access = RegistryAccess()
    /// Where the result goes besides the store.
    package var outputs: [BuildOutput] = []
    /// Whether the image is pushed under all its names.
    package var pushes = false
    /// What an index of `outputs` says of the image.
    package var indexAnnotations: [String: String] = [:]
    /// Caches besides the store's own that results are taken from, in the order in which they are asked.
    package var cacheSources: [BuildCache] = []
    /// Caches that results are left in.
    package var cacheTargets: [BuildCache] = []
    /// The lines of a build's output that a step of a pull makes.
    package var pullLines: @Sendable (TransferEvent) -> [String] = { _ in [] }

    /// A build for the store alone.
    package init(_ options: BuildOptions) { self.options = options }

    /// Whether the image is only for files outside the store: nothing else asks for it, and it has no name.
    var isForFilesOnly: Bool {
        !outputs.isEmpty && !pushes && options.tags.isEmpty && !outputs.contains { $0.keepsImage || $0.pushes }
    }
}

extension BuildOutput {
    /// Takes the bytes of an archive.
    package typealias Sink = (UnsafeRawBufferPointer) throws(StoreError) -> Void

    /// Opens a file by its path, or standard output for nil, calls the body with what takes its bytes, and closes it: the
    /// file is there when all of it is.
    package typealias Writer = @Sendable (_ path: String?, _ body: (@escaping Sink) throws -> Void) throws -> Void
}

extension Engine {
    /// What builds with this engine's store and programs.
    package var builder: Builder { Builder(store: store, runtime: runtime) }

    /// The options of a request as the builder takes them: with everything that it gets from elsewhere.
    package func supplied(_ request: BuildRequest) throws -> BuildOptions {
        var options = request.options
        options.cacheSources = try request.cacheSources.compactMap { try $0.source(of: self, request.access) }
        options.embedsCache = request.cacheTargets.contains { $0.kind == .inline }
        options.fetch = { store, name, platform, say in
            try on(store).fetchBase(name, platform, request) { for line in request.pullLines($0) { say(line) } }
        }
        options.download = { address, sink in try download(address, to: sink) }
        return options
    }

    /// Builds an image.
    ///
    /// - Parameter ended: called when all steps are done and the image is still to be written, pushed and exported.
    /// - Returns: what was built, and the image's record as it was before it was written.
    package func build(
        _ request: BuildRequest, cancellation: Cancellation?, _ progress: @escaping ProgressHandler,
        ended: (BuildResult) throws -> Void = { _ in }, writer: @escaping BuildOutput.Writer
    ) throws -> (result: BuildResult, image: ImageRecord) {
        let engine = session()
        defer { try? engine.store.releaseLeases() }
        var options = try engine.supplied(request)
        // What follows the build works with its image.
        options.leasesImage = true
        let result = try engine.builder.build(options, cancellation: cancellation) { progress(.build($0)) }
        if !request.isForFilesOnly {
            report(
                StoreEvent(
                    .builder, "build", of: result.imageID.description, ["name": result.tags.first?.familiar ?? ""]))
        }
        try ended(result)
        let image = try engine.carryOut(request, result, progress, writer)
        for cache in request.cacheTargets { try cache.write(result, of: engine, request.access, progress) }
        // What was built for files only is not kept, unless somebody has it for something else.
        if request.isForFilesOnly, result.isNew { try? store.removeImage(unnamed: result.imageID) }
        return (result, image)
    }

    /// Writes and pushes what was built.
    private func carryOut(
        _ request: BuildRequest, _ result: BuildResult, _ progress: @escaping ProgressHandler,
        _ writer: BuildOutput.Writer
    ) throws -> ImageRecord {
        let image = try store.image(id: result.imageID)
        for output in request.outputs {
            try output.write(image, result, request.indexAnnotations, of: self, writer)
        }
        guard request.pushes || request.outputs.contains(where: \.pushes) else { return image }
        if result.tags.isEmpty {
            throw EngineError(.badRequest, "cannot push an image without a name", remedy: "give it one with -t")
        }
        for reference in result.tags { _ = try push(image, as: reference, request.access, progress) }
        return image
    }

    /// Gets the image that a build stands on.
    private func fetchBase(
        _ name: String, _ platform: Platform?, _ request: BuildRequest,
        _ say: @escaping @Sendable (TransferEvent) -> Void
    ) throws -> ImageRecord {
        do {
            return try pull(try Reference(parsing: name), platform, request.access, kind: .layer) { event in
                if case .transfer(let event) = event { say(event) }
            }.image
        } catch let error as DistributionError {
            throw BuildError(
                .noSuchImage, "\(name): no such image, and it cannot be pulled: \(error.message)", remedy: error.remedy)
        } catch {
            throw BuildError(.noSuchImage, "\(name): \(error)")
        }
    }

    /// Fetches a file of the web that a build asks for.
    private func download(
        _ address: String, to sink: @escaping @Sendable (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws -> RemoteFile {
        guard let download = HTTPDownload(address) else {
            throw BuildError(.remote, "\(address) is no address of the web")
        }
        let time = Mutex<String?>(nil)
        do {
            try BlockingTask.run { [settings = registries.anonymous] in
                try await download.run(settings, lastModified: { text in time.withLock { $0 = text } }, to: sink)
            }
        } catch let error as RegistryError {
            throw BuildError(.remote, error.message)
        }
        return RemoteFile(lastModified: time.withLock { $0 })
    }
}
