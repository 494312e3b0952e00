public import ImageStore
import LayerTree
import Linux
public import OCI

extension Builder {
    /// Writes all files of an image into a directory, which is made if it is not there. Files that are there already
    /// make place for those of the image; others stay.
    ///
    /// - Parameter time: the time that all of them get; nil for their own.
    public func exportFiles(
        of image: ImageRecord, to directory: String, time: Timestamp? = nil
    ) throws(BuildError) {
        do throws(Errno) {
            try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o755)
        } catch {
            if error != .EEXIST { throw BuildError("create \(directory)", error) }
        }
        try copyFiles(of: image, to: directory, marks: nil, time)
    }

    /// Writes all files of an image as one tar archive.
    ///
    /// - Parameter time: the time that all of them get; nil for their own.
    public func exportArchive(
        of image: ImageRecord, time: Timestamp? = nil,
        to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(BuildError) {
        let scratch = try fromStore(store.makeTemporaryDirectory)
        let upper = try fromStore { () throws(StoreError) in try scratch.makeDirectory("upper") }
        try copyFiles(of: image, to: upper, marks: store.marks, time)
        try fromStore { () throws(StoreError) in
            let layer = try store.commitLayer(takingUpper: upper, lowers: []).finish()
            try store.writeArchive(of: layer.id, to: sink)
        }
    }

    private func copyFiles(
        of image: ImageRecord, to directory: String, marks: OverlayMarks?, _ time: Timestamp?
    ) throws(BuildError) {
        let (source, root) = try attempting("write \(directory)") { () throws(Errno) in
            // Bottom first in the record, as `lowerPaths` takes them.
            let source = try TreeDirectory(layers: store.lowerPaths(image.layerIDs), marks: store.marks)
            return (source, try DestinationDirectory(upper: directory, marks: marks))
        }
        var copier = TreeCopier(
            tree: SourceTree(root: source, isContext: false), rules: CopyRules(), root: root)
        try copier.copyContents(of: source, path: [], source: 0, to: root)
        guard let time else { return }
        try attempting("set the times in \(directory)") { () throws(Errno) in
            let target = try FileDescriptor.open(directory, [.directory])
            let spec = TimeSpec(seconds: time.seconds, nanoseconds: Int64(time.nanoseconds))
            try Self.setTimes(of: SourceTree(root: source, isContext: false), source, in: target, to: spec)
        }
    }

    /// Gives the copies of a directory's files a time; what lies beside them is left alone.
    private static func setTimes(
        of tree: SourceTree, _ directory: TreeDirectory, in target: borrowing FileDescriptor, to time: TimeSpec
    ) throws(Errno) {
        for (entry, _) in try tree.entries(of: directory, path: [], source: 0) {
            if entry.status.isDirectory {
                let below = try target.open(entry.name.cString, [.directory, .noFollow])
                try setTimes(of: tree, try directory.open(entry), in: below, to: time)
            }
            try target.setTimes(of: entry.name.cString, access: time, modification: time)
        }
    }
}
