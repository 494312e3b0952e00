import BuildEngine
import Distribution
package import DockerDocuments
package import ImageStore
package import Linux
package import OCI
package import Registry
import Runtime

/// An image that is made of the archive of a root file system.
package struct ImportRequest: ~Copyable {
    /// Where the archive comes from.
    package enum Source: ~Copyable {
        /// An open file or pipe.
        case file(FileDescriptor)
        /// An address of the web.
        case download(HTTPDownload)
    }

    package var source: Source
    /// The image's name as the user gives it; nil for none.
    package var name: String?
    /// Instructions of a Dockerfile that set its configuration.
    package var changes: [String] = []
    /// What the history says of it.
    package var comment: String
    /// What it runs on; nil for this machine.
    package var platform: Platform?

    /// An image without a name for this machine.
    package init(_ source: consuming Source, comment: String) {
        self.source = source
        self.comment = comment
    }
}

/// Where images are loaded from.
package enum LoadSource: ~Copyable {
    /// An archive of Docker's or of an OCI layout, compressed or not: an open file or pipe.
    case archive(FileDescriptor)
    /// The directory of an OCI layout, or of an unpacked archive of Docker's.
    case directory(String)
}

extension Engine {
    /// Stores the images that another store saved.
    ///
    /// - Parameter platform: which image to take where a name stands for several; nil for this machine's.
    package func load(_ source: borrowing LoadSource, for platform: Platform? = nil) throws -> [LoadedImage] {
        let limits = try limits()
        switch source {
        case .archive(let archive):
            return try store.load(from: archive, options: limits, platform: platform ?? .current)
        case .directory(let path):
            return try store.load(fromDirectory: path, options: limits, platform: platform ?? .current)
        }
    }

    /// Gives an image another name.
    package func tag(_ source: String, as target: String) throws {
        let reference = try Reference(naming: target, to: "tag \(source) as \(target)")
        try store.tag(try store.image(matching: source).id, as: reference)
    }

    /// Makes an image of the archive of a root file system.
    package func importImage(
        _ request: consuming ImportRequest, _ progress: @escaping ProgressHandler
    ) throws -> ImageRecord {
        let tags = try request.name.map { [try Reference(naming: $0, to: "import as \($0)")] } ?? []
        try ImageStore.requireTags(tags)
        let now = try SourceDate.parse(configuration.environment.nonEmpty(SourceDate.name)) ?? .now
        let first = ImageConfiguration(
            created: now, platform: request.platform ?? .current,
            history: [OCI.History(created: now, comment: request.comment)])
        var change = ConfigurationChange(of: first)
        try change.apply(changes: request.changes)
        let limits = try limits()
        let engine = session()
        defer { try? engine.store.releaseLeases() }
        let layer: LayerRecord
        switch request.source {
        case .file(let archive): layer = try engine.store.importLayer(from: archive, options: limits)
        case .download(let download): layer = try engine.fetch(download, limits, progress)
        }
        let image = try engine.store.createImage(configuration: change.image, layers: [layer.id], tags: tags)
        report(.image("import", image.id, name: tags.first))
        return image
    }

    private func fetch(
        _ download: HTTPDownload, _ limits: ImportOptions, _ progress: @escaping ProgressHandler
    ) throws -> LayerRecord {
        progress(.downloading(from: download.shownAddress))
        return try BlockingTask.run { [store, settings = registries.anonymous] in
            try await download.importLayer(into: store, options: limits, settings: settings) { done, total in
                progress(.downloaded(bytes: done, total: total))
            }
        }
    }

    /// Removes an image or one of its names, after what dead processes left was set right: what they ran or mounted keeps
    /// no image.
    package func removeImage(_ text: String, force: Bool) throws -> [RemovalEvent] {
        containers.reconcile()
        return try store.removeImage(text, force: force)
    }

    /// The images to save. A name leads to an image for one platform; `failed` where that is not the one asked for.
    package func imagesToSave(_ names: [String], for platform: Platform?) throws -> [SavedImage] {
        let found = try store.imagesToSave(names)
        if let platform, let other = found.first(where: { !$0.image.fits(platform) }) {
            let name = other.references.first?.familiar ?? other.image.id.short
            throw EngineError(
                .failed, "cannot save \(name): it is for \(other.image.configuration.platform), not for \(platform)")
        }
        return found
    }

    // MARK: History

    /// How an image was made, the latest step first; only that one's image is known. Layers that its history does not know
    /// are steps that say nothing.
    package func history(of text: String) throws -> [ImageHistoryEntry] {
        let image = try store.image(matching: text)
        var layers = image.layerIDs[...]
        var steps: [ImageHistoryEntry] = []
        for step in image.configuration.history {
            let layer = step.emptyLayer == true ? nil : layers.popFirst()
            steps.append(ImageHistoryEntry(step, size: try layer.map { try store.layer($0).diskUsage } ?? 0))
        }
        for layer in layers {
            steps.append(ImageHistoryEntry(OCI.History(), size: try store.layer(layer).diskUsage))
        }
        if !steps.isEmpty {
            steps[steps.count - 1].id = image.id.description
            if !image.references.isEmpty { steps[steps.count - 1].tags = image.references.map(\.familiar) }
        }
        return steps.reversed()
    }
}

extension ImageHistoryEntry {
    /// A step of which no image is known.
    ///
    /// - Parameter size: bytes on disk of its layer.
    fileprivate init(_ step: OCI.History, size: Int64) {
        self.init()
        id = "<missing>"
        comment = step.comment ?? ""
        created = step.created?.seconds ?? 0
        createdBy = step.createdBy ?? ""
        self.size = size
    }
}
