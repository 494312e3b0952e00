public import Linux

extension ImageStore {
    /// Unpacks an archive (tar; gzip, xz, Zstandard, bzip2 or not compressed) as a new layer.
    ///
    /// Owners, modes, times, extended attributes, ACLs, capabilities, hard links, devices and holes are kept, and
    /// nothing is written outside the layer. The layer is leased to this handle. `badArchive` or `noSpace` leave nothing.
    /// Where the store has a layer with the same content already, that one is returned.
    public func importLayer(
        from archive: borrowing FileDescriptor, options: ImportOptions = ImportOptions()
    ) throws(StoreError) -> LayerRecord {
        throw StoreError(.io, "unimplemented")
    }
}
