public import ImageStore
import Linux
import OCI

extension Builder {
    /// Writes all files of an image into a directory, which is made if it is not there. Files that are there already
    /// make place for those of the image; others stay.
    public func exportFiles(of image: ImageRecord, to directory: String) throws(BuildError) {
        do throws(Errno) {
            try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o755)
        } catch {
            if error != .EEXIST { throw BuildError("create \(directory)", error) }
        }
        try copyFiles(of: image, to: directory)
    }

    /// Writes all files of an image as one tar archive.
    public func exportArchive(
        of image: ImageRecord, to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(BuildError) {
        let scratch = try fromStore(store.makeTemporaryDirectory)
        let upper = try fromStore { () throws(StoreError) in try scratch.makeDirectory("upper") }
        try copyFiles(of: image, to: upper)
        try fromStore { () throws(StoreError) in
            let layer = try store.commitLayer(takingUpper: upper, lowers: []).finish()
            try store.writeArchive(of: layer.id, to: sink)
        }
    }

    private func copyFiles(of image: ImageRecord, to directory: String) throws(BuildError) {
        let (source, root) = try attempting("write \(directory)") { () throws(Errno) in
            // Bottom first in the record, as `lowerPaths` takes them.
            let source = try TreeDirectory(layers: store.lowerPaths(image.layerIDs))
            return (source, try DestinationDirectory(upper: directory, lower: try TreeDirectory(layers: [])))
        }
        var copier = TreeCopier(
            tree: SourceTree(root: source, isContext: false), rules: CopyRules(), root: root)
        try copier.copyContents(of: source, path: [], source: 0, to: root)
    }
}
