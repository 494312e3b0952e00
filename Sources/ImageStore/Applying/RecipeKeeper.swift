import Archive
import Linux
import OCI

/// What the applier has to do so that a layer's archive can be written again: to keep contents that later entries
/// replace, and to find out whether the archive is the canonical one anyway.
final class RecipeKeeper {
    let writer: RecipeWriter
    /// The layer's directory, which the tree is in.
    private let home: FileDescriptor
    private var displacedCount = 0

    /// Starts `recipe` in a layer's directory.
    init(home: consuming FileDescriptor) throws(StoreError) {
        let file = try attempting("create a layer's recipe") { () throws(Errno) in
            try home.open("recipe", [.create, .exclusive, .writeOnly], mode: 0o600)
        }
        self.home = home
        do throws(ArchiveError) {
            writer = try RecipeWriter(file)
        } catch {
            throw StoreError(error)
        }
    }

    /// Looks whether an entry's headers are what `LayerArchiveWriter` would write. One that differs is enough.
    func compare(_ entry: TarEntry, with headers: [UInt8]) {
        if writer.shape == nil { return }
        let typeFlag: Character =
            switch entry.kind {
            case .file: "0"
            case .hardLink: "1"
            case .symbolicLink: "2"
            case .characterDevice: "3"
            case .blockDevice: "4"
            case .directory: "5"
            case .fifo: "6"
            }
        let canonical = TarHeaderWriter(
            typeFlag: typeFlag.asciiValue ?? 0, path: entry.path, target: entry.target, permissions: entry.permissions,
            uid: entry.uid, gid: entry.gid, size: entry.size, modificationTime: entry.modificationTime,
            deviceMajor: entry.deviceMajor, deviceMinor: entry.deviceMinor, attributes: entry.attributes
        ).encoded()
        // The headers may have the padding of the content before in front.
        if !headers.suffix(canonical.count).elementsEqual(canonical) { writer.dropShape() }
    }

    /// Keeps the contents of a file, or of all files in a directory, that is about to be removed.
    func displace(_ name: [CChar], in parent: borrowing FileDescriptor, at path: [UInt8]) throws(StoreError) {
        let full = path + name.dropLast().map { UInt8(bitPattern: $0) }
        let what = "keep \(String(decoding: full, as: UTF8.self)), which a later entry replaces"
        guard let status = try attempting(what, { () throws(Errno) in try parent.statusIfPresent(of: name) }) else {
            return
        }
        if status.isDirectory {
            let directory = try attempting(what) { () throws(Errno) in
                try parent.open(name, [.directory, .noFollow])
            }
            let names = try attempting(what) { () throws(Errno) in try directory.sortedEntryNames() }
            for child in names { try displace(child, in: directory, at: full + [UInt8(ascii: "/")]) }
        } else if status.isRegular, status.size > 0 {
            let number = displacedCount
            displacedCount += 1
            try attempting(what) { () throws(Errno) in
                if number == 0 { try home.makeDirectory("displaced", mode: 0o700) }
                try parent.rename(name, to: home, "displaced/\(number)")
            }
            try fromArchive { () throws(ArchiveError) in try writer.displaced(full, number: number) }
        }
    }

    /// Finishes the recipe, and removes it where the archive is the canonical one of the tree.
    func finish(tree: String, marks: OverlayMarks) throws(StoreError) {
        try fromArchive { () throws(ArchiveError) in try writer.finish() }
        guard let shape = writer.shape, try LayerArchiveWriter.shape(of: tree, marks: marks) == shape.value else {
            return
        }
        try attempting("remove a recipe that is not needed") { () throws(Errno) in try home.unlink("recipe") }
    }
}
