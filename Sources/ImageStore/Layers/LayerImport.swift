public import Archive
public import Linux
public import OCI

extension ImageStore {
    /// Unpacks an archive (tar; gzip, xz, Zstandard, bzip2 or not compressed) as a new layer.
    ///
    /// Owners, modes, times, extended attributes, ACLs, capabilities, hard links, devices and holes are kept, and
    /// nothing is written outside the layer. The layer is leased to this handle. `badArchive`, `corrupt` (another digest
    /// than the expected one) or `noSpace` leave nothing. Where the store has a layer with the same content already, that
    /// one is returned. The layer's files reach the disk when an image is made of it.
    public func importLayer(
        from archive: borrowing FileDescriptor, options: ImportOptions = ImportOptions()
    ) throws(StoreError) -> LayerRecord {
        try importLayer(from: FileSource(archive), options: options)
    }

    /// The same for an archive that comes from anywhere. It is read, decompressed and hashed on another thread.
    public func importLayer(
        from source: any ByteSource, options: ImportOptions = ImportOptions()
    ) throws(StoreError) -> LayerRecord {
        let workshop = try TemporaryDirectory(in: temporary)
        let tree = try attempting("create \(workshop.path)/layer") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("layer", mode: 0o700)
            try workshop.descriptor.makeDirectory("layer/fs", mode: 0o755)
            let tree = try workshop.descriptor.open("layer/fs", [.directory])
            try tree.setMode(0o755)
            return tree
        }
        let limits = StreamLimits(maximumBytes: options.maximumBytes, maximumRatio: options.maximumRatio)
        let stream = try fromArchive { () throws(ArchiveError) in
            try DecompressedStream(source, limits: limits, hashes: options.isExact)
        }
        let summary: LayerSummary
        if options.isExact {
            summary = try unpackExactly(stream, to: tree, in: workshop, options)
        } else {
            let reader = TarReader(
                stream, maximumEntries: options.maximumEntries, allowsNothing: options.kind == .layer)
            try LayerApplier(root: tree, reader: reader, kind: options.kind, marks: marks).run()
            summary = try LayerArchiveWriter.summary(of: "\(workshop.path)/layer/fs", marks: marks)
        }
        return try publish(workshop, summary)
    }

    /// Unpacks an archive so that it can be written again.
    private func unpackExactly(
        _ stream: DecompressedStream, to tree: consuming FileDescriptor, in workshop: TemporaryDirectory,
        _ options: ImportOptions
    ) throws(StoreError) -> LayerSummary {
        let home = try attempting("open \(workshop.path)/layer") { () throws(Errno) in
            try workshop.descriptor.open("layer", [.directory, .noFollow])
        }
        let recipe = try RecipeKeeper(home: home)
        let reader = TarReader(
            stream, maximumEntries: options.maximumEntries, allowsNothing: options.kind == .layer, recipe: recipe.writer
        )
        let digest = try LayerApplier(
            root: tree, reader: reader, kind: options.kind, marks: marks, recipe: recipe
        ).run()
        if let expected = options.expectedDiffID, expected != digest {
            throw StoreError(.corrupt, "the layer \(expected) is damaged: its archive has the digest \(digest)")
        }
        try recipe.finish(tree: "\(workshop.path)/layer/fs", marks: marks)
        return LayerSummary(
            diffID: digest, archiveSize: recipe.writer.position,
            diskUsage: try diskUsage(ofTree: "\(workshop.path)/layer/fs"), entryCount: reader.entryCount)
    }

    private func publish(_ workshop: TemporaryDirectory, _ summary: LayerSummary) throws(StoreError) -> LayerRecord {
        if let known = try leaseUsable(diffID: summary.diffID) { return known }
        let id = try reserveLayer()
        try placeLayer(id, from: workshop.descriptor, "layer")
        let record = try completeLayer(id, summary)
        if record.id != id { try releaseLease(of: id) }
        return record
    }

    /// Writes the archive of a layer to `sink`, in pieces of up to 1 MiB: the bytes that its diffID names.
    ///
    /// For a layer that came as an archive these are the bytes that came, however they were put together; for others the
    /// canonical archive of the tree. The summary says what was written: `corrupt` is thrown when the layer's record says
    /// otherwise, once everything is written.
    @discardableResult
    public func writeArchive(
        of id: LayerID, to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> LayerSummary {
        let record = try layer(id)
        let summary = try LayerArchiveWriter.write(layer: "\(root)/layers/\(id.rawValue)", marks: marks, to: sink)
        if let diffID = record.diffID, summary.diffID != diffID {
            throw StoreError(
                .corrupt, "the layer \(id) is damaged: its archive has the digest \(summary.diffID), not \(diffID)")
        }
        return summary
    }
}
