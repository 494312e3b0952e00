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

    /// The error of an entry, unless it comes of its extended attributes: those that this process may not set are named,
    /// and where there is no space while there is, they are larger than the file system takes.
    func explained(_ error: StoreError, _ entry: TarEntry) -> StoreError {
        if error.code == .notPermitted, let name = entry.attributes.lazy.map(\.name).first(where: needsRoot) {
            return StoreError(
                .notPermitted,
                "cannot unpack \(entry.printablePath): only root of the machine may set the attribute "
                    + String(decoding: name, as: UTF8.self), remedy: "run strata as root outside of any user namespace")
        }
        guard error.code == .noSpace, !entry.attributes.isEmpty, let root = try? tree.root(for: entry),
            root.descriptor.hasRoom(for: entry.attributes.reduce(AttributeSize.valueLimit) { $0 + $1.value.count })
        else { return error }
        return attributeFailure(entry.attributes, entry)
    }

    /// Whether an attribute's name is one that no user namespace's root may set; xattr(7), "Trusted extended attributes".
    private func needsRoot(_ name: [UInt8]) -> Bool { name.starts(with: Array("trusted.".utf8)) }

    private func attributeFailure(_ attributes: [TarEntry.Attribute], _ entry: TarEntry) -> StoreError {
        StoreError(
            .io,
            "cannot unpack \(entry.printablePath): "
                + AttributeSize.explain(attributes.map { ($0.name, $0.value.count) }), remedy: AttributeSize.remedy)
    }
}
