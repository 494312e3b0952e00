public import Archive
public import Linux
public import OCI

/// An image that came out of an archive.
public struct LoadedImage: Hashable, Sendable {
    /// The image.
    public var image: ImageRecord
    /// The names that it came with.
    public var references: [Reference]
    /// Names that led to another image before, and to which.
    public var moved: [Reference: Digest]
}

extension ImageStore {
    /// Stores the images of an archive: Docker's of any version since 1.10, or a tar archive of an OCI layout,
    /// compressed or not. It is read once from beginning to end and no copy of it is made: layers are unpacked as they
    /// come, and those that the store has are passed over.
    ///
    /// Everything is verified before anything is recorded: `badArchive` for what makes no sense, `corrupt` for what is
    /// not what its digest or size says; neither leaves anything.
    ///
    /// - Parameters:
    ///   - options: limits; what is said of the kind does not count.
    ///   - platform: which image to take where a name stands for several.
    public func load(
        from source: any ByteSource, options: ImportOptions = ImportOptions(), platform: Platform = .current
    ) throws(StoreError) -> [LoadedImage] {
        let session = session()
        return try session.load(TarBundle(source, store: session, options: options), platform)
    }

    /// The same for an open file or pipe, from its current position on.
    public func load(
        from archive: borrowing FileDescriptor, options: ImportOptions = ImportOptions(),
        platform: Platform = .current
    ) throws(StoreError) -> [LoadedImage] {
        try load(from: FileSource(archive), options: options, platform: platform)
    }

    /// Stores the images of an OCI layout, or of an unpacked Docker archive, in a directory.
    public func load(
        fromDirectory path: String, options: ImportOptions = ImportOptions(), platform: Platform = .current
    ) throws(StoreError) -> [LoadedImage] {
        let session = session()
        return try session.load(DirectoryBundle(path, store: session, options: options), platform)
    }

    private func load(_ bundle: any ImageBundle, _ platform: Platform) throws(StoreError) -> [LoadedImage] {
        var loaded: [LoadedImage] = []
        for prepared in try ImageLoader(bundle: bundle, platform: platform).run() {
            var moved: [Reference: Digest] = [:]
            let id = Digest.sha256(of: prepared.configuration)
            for reference in prepared.references {
                if let old = try? image(matching: reference.description), old.id != id { moved[reference] = old.id }
            }
            let image = try createImage(
                configurationDocument: prepared.configuration, manifestDocument: prepared.manifest,
                layers: prepared.layers, tags: prepared.references)
            let named = prepared.references.map { StoreEvent.image("load", id, name: $0) }
            try record(named.isEmpty ? [.image("load", id)] : named)
            loaded.append(LoadedImage(image: image, references: prepared.references, moved: moved))
        }
        return loaded
    }
}
