import LayerTree
import Linux

/// Puts files of a tree into the directory of a new layer.
struct TreeCopier {
    /// Where the files come from.
    private(set) var tree: SourceTree
    let rules: CopyRules
    /// The root of the image that is written.
    let root: DestinationDirectory
    /// Whether what is copied is an archive's content. Then files and directories take each other's place, as `tar`
    /// has it; and directories that exist in the image keep their attributes when a plain one (0755, root's) comes over
    /// them: an unpacked tree does not tell directories that the archive names from those on the way to something.
    var isUnpacking = false
    /// Asked now and then; throws to stop.
    var checkpoint: () throws(BuildError) -> Void = {}

    /// Files with several links that were copied already, and where to: the links are kept within one source, as
    /// BuildKit does. Two sources that happen to be one file become two.
    private var linked: [FileIdentity: [FileName]] = [:]
    private let maker = FileMaker()

    init(tree: SourceTree, rules: CopyRules, root: DestinationDirectory) {
        self.tree = tree
        self.rules = rules
        self.root = root
    }

    /// Turns to another source, in this tree or in another.
    mutating func turn(to tree: SourceTree) {
        self.tree = tree
        linked = [:]
    }

    /// Copies what is in a directory into another.
    ///
    /// - Parameters:
    ///   - path: of the directory in its tree.
    ///   - source: how many bytes of it lead to the source that is copied.
    mutating func copyContents(
        of directory: TreeDirectory, path: [UInt8], source: Int, to target: DestinationDirectory
    ) throws(BuildError) {
        let place = TreePath.text(target.path)
        let entries = try attempting("read what is copied to \(place)") { () throws(Errno) in
            try tree.entries(of: directory, path: path, source: source)
        }
        for (entry, below) in entries {
            try copy(entry, from: directory, path: below, source: source, to: target, as: entry.name)
        }
    }

    /// Copies a file, or a directory with what is in it, under a name.
    mutating func copy(
        _ entry: TreeEntry, from directory: TreeDirectory, path: [UInt8], source: Int,
        to target: DestinationDirectory, as name: FileName
    ) throws(BuildError) {
        try checkpoint()
        try target.requireStorable([name])
        if entry.status.isDirectory {
            try copyDirectory(entry, from: directory, path: path, source: source, to: target, as: name)
            return
        }
        let place = TreePath.text(target.path + [name])
        do throws(Errno) {
            try target.clear(name, withDirectories: isUnpacking)
            try copyFile(entry, from: directory, to: target, as: name)
        } catch {
            if error == .EISDIR {
                throw BuildError(.badDestination, "cannot copy to \(place): a directory is there, and a file is copied")
            }
            throw failure(error, place, try? directory.attributes(entry), target)
        }
    }

    /// Why something could not be copied. ENOSPC says of extended attributes that they are too large for the file system,
    /// too.
    private func failure(
        _ error: Errno, _ place: String, _ attributes: [ExtendedAttribute]?, _ target: DestinationDirectory
    ) -> BuildError {
        let failure = BuildError("copy to \(place)", error)
        guard failure.code == .noSpace, let attributes, !attributes.isEmpty else { return failure }
        let size = attributes.reduce(AttributeSize.valueLimit) { $0 + $1.value.count }
        let hasRoom = try? target.withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
            upper.hasRoom(for: size)
        }
        if hasRoom != true { return failure }
        let sizes = attributes.map { (name: $0.name.dropLast().map { UInt8(bitPattern: $0) }, size: $0.value.count) }
        return BuildError(
            .system, "cannot copy to \(place): \(AttributeSize.explain(sizes))", remedy: AttributeSize.remedy)
    }

    private mutating func copyDirectory(
        _ entry: TreeEntry, from parent: TreeDirectory, path: [UInt8], source: Int,
        to target: DestinationDirectory, as name: FileName
    ) throws(BuildError) {
        let place = TreePath.text(target.path + [name])
        let owner = rules.owner(of: entry.status)
        let mode = rules.permissions(of: entry.status)
        var existing = try attempting("look at \(place)") { () throws(Errno) in try target.status(of: name) }
        if isUnpacking, existing?.isDirectory == false {
            try attempting("replace \(place)") { () throws(Errno) in try target.clear(name) }
            existing = nil
        }
        if let existing, !existing.isDirectory {
            throw BuildError(.badDestination, "cannot copy to \(place): a file is there, and a directory is copied")
        }
        let spares =
            existing != nil && (tree.filter.selected != nil || (isUnpacking && owner == .root && mode == 0o755))
        let isNew = existing == nil
        let (opened, made) = try attempting("copy to \(place)") { () throws(Errno) in
            let opened = try parent.open(entry)
            guard !isNew else {
                return (opened, try target.makeDirectory(name, mode: mode, owner: owner))
            }
            let directory = try target.directory(name)
            if !spares {
                try directory.withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
                    try upper.setOwner(uid: owner.uid, gid: owner.gid)
                    try upper.setMode(mode)
                }
            }
            return (opened, directory)
        }
        try copyContents(of: opened, path: path, source: source, to: made)
        if spares { return }
        do throws(Errno) {
            let attributes = try opened.attributes()
            // Last, because every new entry changes the times.
            try made.withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
                try made.set(attributes, on: upper)
                try upper.setTimes(
                    access: entry.status.accessTime, modification: entry.status.modificationTime)
            }
        } catch {
            throw failure(error, place, try? opened.attributes(), made)
        }
    }

    // MARK: Files

    /// Writes a text as a file, with mode 0644 unless the rules say otherwise.
    func write(_ text: String, to target: DestinationDirectory, as name: FileName) throws(BuildError) {
        try target.requireStorable([name])
        let place = TreePath.text(target.path + [name])
        let rules = rules
        var status = FileStatus()
        status.mode = FileType.regular.rawValue | 0o644
        let (owner, mode) = (rules.parentOwner, rules.permissions(of: status))
        try attempting("write \(place)") { () throws(Errno) in
            try target.clear(name)
            try target.withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
                let file = try upper.open(name.cString, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
                try file.setOwner(uid: owner.uid, gid: owner.gid)
                try file.setMode(mode)
                try file.writeAll(text)
            }
        }
    }

    private mutating func copyFile(
        _ entry: TreeEntry, from directory: TreeDirectory, to target: DestinationDirectory, as name: FileName
    ) throws(Errno) {
        let identity = FileIdentity(entry.status)
        let isShared = entry.status.linkCount > 1
        if isShared, let first = linked[identity] {
            let path = TreePath.bytes(first).map { CChar(bitPattern: $0) } + [0]
            try root.withUpper { (root: borrowing FileDescriptor) throws(Errno) in
                try target.withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
                    try root.makeLink(of: path, in: upper, at: name.cString)
                }
            }
            return
        }
        let attributes = try directory.attributes(entry)
        let (status, owner) = (entry.status, rules.owner(of: entry.status))
        let mode = status.isSymbolicLink ? nil : rules.permissions(of: status)
        try target.withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
            if status.isRegular {
                let file = try maker.makeFile(name, in: upper, like: try directory.openFile(entry), status)
                try file.setMetadata(uid: owner.uid, gid: owner.gid, mode: mode, times: status) {
                    (file: borrowing FileDescriptor) throws(Errno) in try target.set(attributes, on: file)
                }
                return
            }
            // In a layer it would be a whiteout.
            if status.isWhiteout { throw .EPERM }
            try maker.makeSpecial(name, in: upper, like: entry.name, of: try directory.home(of: entry), status)
            let file = try upper.open(name.cString, [.path, .noFollow])
            try file.setMetadata(uid: owner.uid, gid: owner.gid, mode: mode, times: status) {
                (file: borrowing FileDescriptor) throws(Errno) in
                for attribute in attributes { try? file.setAttribute(target.keptName(attribute), attribute.value) }
            }
        }
        if isShared { linked[identity] = target.path + [name] }
    }
}
