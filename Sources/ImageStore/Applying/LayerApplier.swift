import Archive
import Linux
import OCI

/// Unpacks an archive into an empty directory that nobody else uses.
///
/// Names are resolved by the kernel inside the directory (`openat2`, `RESOLVE_IN_ROOT`): a symbolic link in the way
/// means what it would mean in a container of the layer, and can never lead out. Times of directories are set last,
/// because filling them changes them; so are default ACLs, because new files would inherit them.
final class LayerApplier {
    let reader: TarReader
    let tree: ApplierTree
    private let kind: ImportOptions.Kind
    private let marks: OverlayMarks
    private let recipe: RecipeKeeper?
    /// What is left to be done to directories, by where they are in the tree, whatever links led there: the links may
    /// be others by then.
    private var deferred: [[UInt8]: DeferredDirectory] = [:]

    private struct DeferredDirectory {
        var permissions: UInt32
        var time: TimeSpec
        var accessLists: [TarEntry.Attribute]
    }

    /// - Parameter recipe: notes how the archive was made, for layers whose archive must come out again as it is.
    init(
        root: consuming FileDescriptor, reader: TarReader, kind: ImportOptions.Kind, marks: OverlayMarks,
        recipe: RecipeKeeper? = nil
    ) {
        tree = ApplierTree(root: root)
        self.reader = reader
        self.kind = kind
        self.marks = marks
        self.recipe = recipe
    }

    /// Unpacks everything; returns the digest of the archive.
    @discardableResult
    func run() throws(StoreError) -> Digest {
        while let entry = try fromArchive({ () throws(ArchiveError) in try reader.next() }) {
            recipe?.compare(entry, with: reader.rawHeaders)
            do throws(StoreError) {
                try checkAttributes(of: entry)
                try apply(entry)
            } catch {
                throw explained(error, entry)
            }
        }
        let digest = try fromArchive { () throws(ArchiveError) in try reader.finish() }
        for (path, directory) in deferred { try finish(path, directory) }
        return digest
    }

    private func apply(_ entry: TarEntry) throws(StoreError) {
        let path = try fromArchive { () throws(ArchiveError) in try ArchivePath(entry.path) }
        guard let name = path.name else {
            if entry.kind == .directory { try applyRoot(entry) }
            return
        }
        if let marker = Whiteout(name) {
            switch kind {
            case .layer: try apply(marker, at: path, entry)
            // There is nothing below that could be hidden.
            case .rootFileSystem: break
            case .files:
                throw StoreError(
                    .badName,
                    "cannot unpack \(entry.printablePath): a layer cannot hold names that begin with .wh.")
            }
            return
        }
        switch entry.kind {
        case .directory: try applyDirectory(entry, path, name)
        case .file: try applyFile(entry, path, name)
        case .hardLink: try applyHardLink(entry, path, name)
        case .characterDevice where entry.deviceMajor == 0 && entry.deviceMinor == 0:
            // On disk that would be a whiteout; as a device it is of no use.
            if kind == .files {
                throw StoreError(.badName, "cannot unpack \(entry.printablePath): a layer cannot hold a device 0:0")
            }
        case .symbolicLink, .characterDevice, .blockDevice, .fifo: try applyNode(entry, path, name)
        }
    }

    /// The name under which the overlay finds an archive's attribute: never as a note of its own.
    private func keptName(_ attribute: TarEntry.Attribute) -> [CChar] { marks.stored(cString(attribute.name)) }

    // MARK: Kinds of entries

    private func applyRoot(_ entry: TarEntry) throws(StoreError) {
        let root = try tree.root(for: entry)
        try on(entry) { () throws(Errno) in
            try root.descriptor.setOwner(uid: entry.uid, gid: entry.gid)
            try setAttributes(entry, of: root.descriptor)
        }
        deferred[[]] = later(entry)
    }

    private func applyDirectory(_ entry: TarEntry, _ path: ArchivePath, _ name: [CChar]) throws(StoreError) {
        let parent = try tree.parent(of: path, for: entry)
        var hidesLower = false
        do throws(Errno) {
            try parent.descriptor.makeDirectory(name, mode: 0o700)
        } catch {
            guard error == .EEXIST else { throw applierFailure(error, entry) }
            let status = try on(entry) { () throws(Errno) in try parent.descriptor.status(of: name) }
            if !status.isDirectory {
                // Removed and made anew within one layer: nothing of a directory below shows through.
                hidesLower = kind == .layer && status.isWhiteout
                try remove(name, in: parent, for: entry)
                try on(entry) { () throws(Errno) in try parent.descriptor.makeDirectory(name, mode: 0o700) }
            }
        }
        try on(entry) { () throws(Errno) in
            let directory = try parent.descriptor.open(name, [.directory, .noFollow])
            try directory.setOwner(uid: entry.uid, gid: entry.gid)
            try setAttributes(entry, of: directory)
            if hidesLower { try directory.setAttribute(marks.name(.opaque), [UInt8(ascii: "y")]) }
        }
        deferred[parent.path(of: name)] = later(entry)
    }

    private func applyFile(_ entry: TarEntry, _ path: ArchivePath, _ name: [CChar]) throws(StoreError) {
        let parent = try tree.parent(of: path, for: entry)
        let flags: OpenFlags = [.create, .exclusive, .writeOnly, .noFollow]
        let file = try making(entry, in: parent, name) { () throws(Errno) in
            try parent.descriptor.open(name, flags, mode: 0o600)
        }
        var content = FileContent(size: entry.size)
        let kept = recipe == nil ? [] : parent.path(of: name)
        var pieces = reader.content(of: entry, keptAt: kept)
        while let piece = try fromArchive({ () throws(ArchiveError) in try pieces.next() }) {
            try on(entry) { () throws(Errno) in try content.write(piece.bytes, at: piece.offset, to: file) }
        }
        try on(entry) { () throws(Errno) in
            try content.finish(file)
            // Changing the owner clears set-id bits and capabilities, changing the mode an ACL's mask.
            try file.setOwner(uid: entry.uid, gid: entry.gid)
            for attribute in entry.plainAttributes { try file.setAttribute(keptName(attribute), attribute.value) }
            try file.setMode(entry.permissions)
            for attribute in entry.accessLists { try file.setAttribute(cString(attribute.name), attribute.value) }
            try file.setTimes(access: entry.modificationTime, modification: entry.modificationTime)
        }
    }

    private func applyHardLink(_ entry: TarEntry, _ path: ArchivePath, _ name: [CChar]) throws(StoreError) {
        let target = try fromArchive { () throws(ArchiveError) in try ArchivePath(entry.target) }
        guard let targetName = target.name else { throw applierFailure(.EPERM, entry) }
        if target == path { return }
        let parent = try tree.parent(of: path, for: entry)
        let source = try on(entry) { () throws(Errno) in try tree.open(target.parent) }
        try making(entry, in: parent, name) { () throws(Errno) in
            try source.descriptor.makeLink(of: targetName, in: parent.descriptor, at: name)
        }
    }

    private func applyNode(_ entry: TarEntry, _ path: ArchivePath, _ name: [CChar]) throws(StoreError) {
        let parent = try tree.parent(of: path, for: entry)
        try making(entry, in: parent, name) { () throws(Errno) in
            let device = DeviceNumber(major: entry.deviceMajor, minor: entry.deviceMinor).rawValue
            switch entry.kind {
            case .symbolicLink: try parent.descriptor.makeSymbolicLink(name, to: cString(entry.target))
            case .blockDevice:
                try parent.descriptor.makeNode(name, mode: FileType.blockDevice.rawValue | 0o600, device: device)
            case .characterDevice:
                try parent.descriptor.makeNode(name, mode: FileType.characterDevice.rawValue | 0o600, device: device)
            default: try parent.descriptor.makeNode(name, mode: FileType.fifo.rawValue | 0o600)
            }
        }
        try on(entry) { () throws(Errno) in
            try parent.descriptor.setOwner(of: name, uid: entry.uid, gid: entry.gid)
            for attribute in entry.plainAttributes {
                try parent.descriptor.setAttribute(keptName(attribute), of: name, attribute.value)
            }
            if entry.kind != .symbolicLink { try parent.descriptor.setMode(of: name, entry.permissions) }
            for attribute in entry.accessLists {
                try parent.descriptor.setAttribute(cString(attribute.name), of: name, attribute.value)
            }
            try parent.descriptor.setTimes(
                of: name, access: entry.modificationTime, modification: entry.modificationTime)
        }
    }

    private func apply(_ marker: Whiteout, at path: ArchivePath, _ entry: TarEntry) throws(StoreError) {
        if marker == .reserved { return }
        if case .name(let hidden) = marker, [[0], [46, 0], [46, 46, 0]].contains(hidden) {
            throw StoreError(
                .badArchive, "cannot unpack \(entry.printablePath): it hides a directory from within, or nothing")
        }
        do throws(Errno) {
            _ = try tree.open(path.parent)
        } catch {
            // umoci hides the names in a directory that the same layer replaces by a file: there is nothing to hide.
            if error == .ENOTDIR { return }
        }
        let parent = try tree.parent(of: path, for: entry)
        try on(entry) { () throws(Errno) in
            guard case .name(let hidden) = marker else {
                try parent.descriptor.setAttribute(marks.name(.opaque), [UInt8(ascii: "y")])
                return
            }
            // What the layer itself has under that name stays: a whiteout is about what lies below.
            guard let status = try parent.descriptor.statusIfPresent(of: hidden) else {
                try parent.descriptor.makeNode(hidden, mode: FileType.characterDevice.rawValue)
                return
            }
            if status.isDirectory {
                let directory = try parent.descriptor.open(hidden, [.directory, .noFollow])
                try directory.setAttribute(marks.name(.opaque), [UInt8(ascii: "y")])
            }
        }
    }

    // MARK: Names that exist

    /// Makes something under a name; what was there before is removed, as a later entry of an archive replaces an
    /// earlier one.
    private func making<Made: ~Copyable>(
        _ entry: TarEntry, in parent: ApplierDirectory, _ name: [CChar],
        _ body: () throws(Errno) -> Made
    ) throws(StoreError) -> Made {
        do throws(Errno) {
            return try body()
        } catch {
            if error != .EEXIST { throw applierFailure(error, entry) }
        }
        try remove(name, in: parent, for: entry)
        return try on(entry, body)
    }

    private func remove(_ name: [CChar], in parent: ApplierDirectory, for entry: TarEntry) throws(StoreError) {
        try recipe?.displace(name, in: parent.descriptor, at: parent.path)
        let removed = try on(entry) { () throws(Errno) in
            let status = try parent.descriptor.statusIfPresent(of: name)
            if status != nil { try parent.descriptor.removeTree(name) }
            return status?.type
        }
        // A path through a symbolic link led somewhere else than it is going to.
        guard removed == .directory || removed == .symbolicLink else { return }
        tree.forgetParents()
        if removed == .symbolicLink { return }
        let path = parent.path(of: name)
        let below = path + [UInt8(ascii: "/")]
        deferred = deferred.filter { $0.key != path && !$0.key.starts(with: below) }
    }

    // MARK: Directories

    private func later(_ entry: TarEntry) -> DeferredDirectory {
        DeferredDirectory(
            permissions: entry.permissions, time: entry.modificationTime,
            accessLists: entry.accessLists)
    }

    private func setAttributes(_ entry: TarEntry, of directory: borrowing FileDescriptor) throws(Errno) {
        for attribute in entry.plainAttributes { try directory.setAttribute(keptName(attribute), attribute.value) }
    }

    private func finish(_ path: [UInt8], _ directory: DeferredDirectory) throws(StoreError) {
        let path = try fromArchive { () throws(ArchiveError) in try ArchivePath(path) }
        try attempting("unpack the directory \(path)") { () throws(Errno) in
            let parent = try tree.open(path.parent)
            let opened = try parent.descriptor.open(path.name ?? [46, 0], [.directory, .noFollow])
            try opened.setMode(directory.permissions)
            for attribute in directory.accessLists {
                try opened.setAttribute(cString(attribute.name), attribute.value)
            }
            try opened.setTimes(access: directory.time, modification: directory.time)
        }
    }
}

/// Runs system calls for an entry; their error names it.
func on<Value: ~Copyable>(
    _ entry: TarEntry, _ body: () throws(Errno) -> Value
) throws(StoreError) -> Value {
    do throws(Errno) {
        return try body()
    } catch {
        throw applierFailure(error, entry)
    }
}

/// What a failed system call for an entry means: mostly that the archive makes no sense.
func applierFailure(_ error: Errno, _ entry: TarEntry) -> StoreError {
    let what = "cannot unpack \(entry.printablePath)"
    switch error {
    case .ENOENT, .ENOTDIR, .ELOOP, .EEXIST, .EXDEV, .ENAMETOOLONG, .EISDIR, .ENOTEMPTY, .EMLINK:
        let target =
            entry.kind == .hardLink ? ", a link to \(String(decoding: entry.target.prefix(200), as: UTF8.self))" : ""
        return StoreError(.badArchive, "\(what)\(target): \(error)", remedy: error.remedy)
    case .EPERM where entry.kind == .hardLink:
        let target = String(decoding: entry.target.prefix(200), as: UTF8.self)
        return StoreError(.badArchive, "\(what): it is a link to \(target), which cannot have one")
    case .EPERM where !Effective.isRoot:
        return StoreError(
            .notPermitted, "\(what): only root may make files of other users and devices",
            remedy: "run strata as root, or as the root of a user namespace with a range of users")
    case .EOPNOTSUPP:
        return StoreError(
            .io, "\(what): \(error)", remedy: "the store's file system must keep extended attributes and devices")
    default:
        return StoreError("unpack \(entry.printablePath)", error)
    }
}

func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
