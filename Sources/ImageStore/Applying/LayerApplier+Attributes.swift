import Archive
import Linux
import OCI

extension LayerApplier {
    /// Throws `badArchive` for an extended attribute that no file system takes: the kernel has limits of its own.
    func checkAttributes(of entry: TarEntry) throws(StoreError) {
        let excessive = entry.attributes.filter {
            $0.value.count > AttributeSize.valueLimit || $0.name.count > AttributeSize.nameLimit
        }
        if !excessive.isEmpty { throw attributeFailure(excessive, entry) }
    }

    /// The error of an entry, unless it says of extended attributes that there is no space while there is: then they are
    /// larger than the file system takes.
    func explained(_ error: StoreError, _ entry: TarEntry) -> StoreError {
        guard error.code == .noSpace, !entry.attributes.isEmpty, let root = try? tree.root(for: entry),
            root.descriptor.hasRoom(for: entry.attributes.reduce(AttributeSize.valueLimit) { $0 + $1.value.count })
        else { return error }
        return attributeFailure(entry.attributes, entry)
    }

    private func attributeFailure(_ attributes: [TarEntry.Attribute], _ entry: TarEntry) -> StoreError {
        StoreError(
            .io,
            "cannot unpack \(entry.printablePath): "
                + AttributeSize.explain(attributes.map { ($0.name, $0.value.count) }), remedy: AttributeSize.remedy)
    }
}
