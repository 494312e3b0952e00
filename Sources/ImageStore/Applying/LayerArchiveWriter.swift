import Archive
public import Linux
public import OCI

/// What writing a layer's archive showed of the layer.
public struct LayerSummary: Hashable, Sendable {
    /// SHA-256 of the archive: the layer's diffID.
    public var diffID: Digest
    /// Bytes of the archive.
    public var archiveSize: Int64
    /// Bytes of the tree's allocated blocks, hard links once, as `du` counts them.
    public var diskUsage: Int64
    /// How many files and directories there are.
    public var entryCount: Int
}

/// Writes the canonical archive of a layer's tree: image-spec, "Image Layer Filesystem Changeset".
///
/// The same tree always gives the same bytes, so a diffID can be computed again at any time:
/// * depth first, names sorted by their bytes; numbers for owners, no names of them; times of modification only;
/// * the root itself (`./`) only when it is not what every tool makes it (0755, owner 0:0, no attributes), and
///   without its time, which only says when the directory was made;
/// * kernel-overlay whiteouts as `.wh.NAME`, opaque directories with `.wh..wh..opq` as their first entry;
/// * extended attributes (ACLs and capabilities among them) as `SCHILY.xattr.*` under the names that programs know;
///   an overlay's notes never;
/// * what an archive would take for a whiteout (a file's name that begins with `.wh.`) is an error;
/// * further names of a file as links to the first; sockets are left out, as every tar does;
/// * holes as zeros: the sparse formats are not understood by all that read layers.
public enum LayerArchiveWriter {
    /// Writes the archive of a tree to `sink`, in pieces of up to 1 MiB.
    ///
    /// - Parameter marks: how the overlay that the tree belongs to keeps its notes; nil for a tree as programs see it,
    ///   in which nothing is a note or a whiteout.
    @discardableResult
    public static func write(
        tree path: String, marks: OverlayMarks?,
        to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> LayerSummary {
        var hasher = DigestHasher()
        let hash = { (piece: UnsafeRawBufferPointer) in hasher.update(piece) }
        let walk = LayerWalk(marks: marks) { (piece) throws(StoreError) in
            hash(piece)
            try sink(piece)
        }
        try walk.run(path)
        return LayerSummary(
            diffID: hasher.finish(), archiveSize: walk.archiveSize, diskUsage: walk.diskUsage,
            entryCount: walk.entryCount)
    }

    /// Computes what the archive of a tree would be, without writing it anywhere.
    public static func summary(of path: String, marks: OverlayMarks?) throws(StoreError) -> LayerSummary {
        try write(tree: path, marks: marks) { (_: UnsafeRawBufferPointer) throws(StoreError) in }
    }

    /// Writes the archive of a layer: again the one it came as where there is a recipe, else that of its tree.
    ///
    /// - Parameter path: the layer's directory, with the tree `fs` in it.
    static func write(
        layer path: String, marks: OverlayMarks, to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> LayerSummary {
        let home = try attempting("open \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.directory])
        }
        let recipe = try attempting("open \(path)") { () throws(Errno) in
            try home.statusIfPresent(of: "recipe")
        }
        if recipe == nil { return try write(tree: path + "/fs", marks: marks, to: sink) }
        var hasher = DigestHasher()
        let hash = { (piece: UnsafeRawBufferPointer) in hasher.update(piece) }
        var reader = try RecipeReader(home: home) { (piece) throws(StoreError) in
            hash(piece)
            try sink(piece)
        }
        let size = try reader.run()
        return LayerSummary(diffID: hasher.finish(), archiveSize: size, diskUsage: 0, entryCount: 0)
    }

    /// The shape of the archive of a tree; no file's content is read.
    static func shape(of path: String, marks: OverlayMarks) throws(StoreError) -> ArchiveShape.Value {
        // The walk calls both closures in turn, never at once.
        let box = ShapeBox()
        let walk = LayerWalk(
            marks: marks,
            reference: { box.shape.content(path: $0, position: $1, offset: 0, length: $2) },
            sink: { (piece) throws(StoreError) in box.shape.literal(piece) })
        try walk.run(path)
        return box.shape.value
    }

    private final class ShapeBox {
        var shape = ArchiveShape()
    }
}
