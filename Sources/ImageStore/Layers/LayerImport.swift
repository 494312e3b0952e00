public import Linux

extension ImageStore {
    /// Unpacks an archive (tar; gzip, xz, Zstandard, bzip2 or not compressed) as a new layer.
    ///
    /// Owners, modes, times, extended attributes, ACLs, capabilities, hard links, devices and holes are kept, and
    /// nothing is written outside the layer. The layer is leased to this handle. `badArchive` or `noSpace` leave nothing.
    /// Where the store has a layer with the same content already, that one is returned. The layer's files reach the disk
    /// when an image is made of it.
    public func importLayer(
        from archive: borrowing FileDescriptor, options: ImportOptions = ImportOptions()
    ) throws(StoreError) -> LayerRecord {
        let workshop = try TemporaryDirectory(in: temporary)
        let tree = try attempting("cannot create \(workshop.path)/layer") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("layer", mode: 0o700)
            try workshop.descriptor.makeDirectory("layer/fs", mode: 0o755)
            let tree = try workshop.descriptor.open("layer/fs", [.directory])
            try tree.setMode(0o755)
            return tree
        }
        let stream = try DecompressedStream(archive, maximumBytes: options.maximumBytes)
        let reader = TarReader(stream, maximumEntries: options.maximumEntries)
        try LayerApplier(root: tree, reader: reader, kind: options.kind).run()
        let summary = try LayerArchiveWriter.summary(of: "\(workshop.path)/layer/fs")
        if let known = try layer(diffID: summary.diffID), (try? lease([known.id])) != nil { return known }
        let id = try reserveLayer()
        try placeLayer(id, from: workshop.descriptor, "layer")
        let record = try completeLayer(id, summary)
        if record.id != id { try releaseLease(of: id) }
        return record
    }
}
