import LayerTree
import Linux

/// A directory of the image that a layer is being written for: what the new layer has of it so far, over what lies
/// below.
///
/// Files go straight into the directory that becomes the layer, with the result that the same operations on a mount
/// would have: a directory that exists below is copied up, attributes and times kept, before something is put into it.
/// The new layer never holds whiteouts or marks, because nothing is ever removed, and a name whose nearest mention
/// below is a whiteout needs no mark: unions stop looking there.
final class DestinationDirectory {
    /// Its path in the image.
    let path: [FileName]
    /// How unions keep their notes in what is written; nil for a directory that no union will stand on.
    private let marks: OverlayMarks?
    private let parent: DestinationDirectory?
    /// The directory below; nil where there is none of that path.
    private let lower: TreeDirectory?
    /// The directory in the layer; nil until something is written.
    private var upper: SharedDescriptor?

    /// The root of an image.
    ///
    /// - Parameters:
    ///   - upper: an empty directory, which gets the attributes of the root below.
    ///   - lower: the root below.
    ///   - marks: how unions over it will keep their notes; nil for a directory that no union will stand on.
    init(upper path: String, lower: TreeDirectory = .nothing, marks: OverlayMarks?) throws(Errno) {
        self.marks = marks
        let descriptor = try FileDescriptor.open(path, [.directory])
        let status = try lower.status()
        try descriptor.setOwner(uid: status.uid, gid: status.gid)
        try descriptor.setMode(status.permissions)
        try Self.set(try lower.attributes(), on: descriptor, marks)
        if !lower.isEmpty {
            try descriptor.setTimes(access: status.accessTime, modification: status.modificationTime)
        }
        upper = SharedDescriptor(descriptor)
        self.path = []
        parent = nil
        self.lower = lower
    }

    private init(
        path: [FileName], parent: DestinationDirectory, lower: TreeDirectory?, upper: SharedDescriptor?
    ) {
        self.path = path
        marks = parent.marks
        self.parent = parent
        self.lower = lower
        self.upper = upper
    }

    /// The name in the parent; empty for the root.
    private var name: FileName { path.last ?? FileName("") }

    // MARK: Looking

    /// What is at a name; nil where nothing is.
    func status(of name: FileName) throws(Errno) -> FileStatus? {
        if let upper, let status = try upper.descriptor.statusIfPresent(of: name.cString) { return status }
        return try lower?.entry(name)?.status
    }

    /// The target of a symbolic link here.
    func readLink(_ name: FileName) throws(Errno) -> [UInt8] {
        if let upper, try upper.descriptor.statusIfPresent(of: name.cString) != nil {
            return try upper.descriptor.readLink(name.cString)
        }
        guard let lower, let entry = try lower.entry(name) else { throw .ENOENT }
        return try lower.readLink(entry)
    }

    /// A directory that exists here; ENOENT where there is none, ENOTDIR where something else is.
    func directory(_ name: FileName) throws(Errno) -> DestinationDirectory {
        var below: TreeDirectory?
        if let lower, let entry = try lower.entry(name), entry.status.isDirectory { below = try lower.open(entry) }
        if let upper, let status = try upper.descriptor.statusIfPresent(of: name.cString) {
            guard status.isDirectory else { throw .ENOTDIR }
            let descriptor = try upper.descriptor.open(name.cString, [.directory, .noFollow])
            return DestinationDirectory(
                path: path + [name], parent: self, lower: below, upper: SharedDescriptor(descriptor))
        }
        guard below != nil else { throw try status(of: name) == nil ? .ENOENT : .ENOTDIR }
        return DestinationDirectory(path: path + [name], parent: self, lower: below, upper: nil)
    }

    // MARK: Writing

    /// Calls `body` with the directory in the layer, which is there from then on.
    func withUpper<Value: ~Copyable>(
        _ body: (borrowing FileDescriptor) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try copyUp()
        guard let upper else { throw .ENOENT }
        return try body(upper.descriptor)
    }

    /// Copies the directory into the layer, unless it is there. The times of the directory above stay, as in a union.
    private func copyUp() throws(Errno) {
        if upper != nil { return }
        guard let parent, let lower else { throw .ENOENT }
        let name = name
        upper = try parent.withUpper { (above: borrowing FileDescriptor) throws(Errno) in
            let before = try above.status()
            do throws(Errno) {
                try above.makeDirectory(name.cString, mode: 0o700)
            } catch {
                if error != .EEXIST { throw error }
                // Copied up through another value for the same directory.
                return SharedDescriptor(try above.open(name.cString, [.directory, .noFollow]))
            }
            let copy = try above.open(name.cString, [.directory, .noFollow])
            let status = try lower.status()
            try copy.setOwner(uid: status.uid, gid: status.gid)
            try copy.setMode(status.permissions)
            try set(try lower.attributes(), on: copy)
            try copy.setTimes(access: status.accessTime, modification: status.modificationTime)
            try above.setTimes(access: before.accessTime, modification: before.modificationTime)
            return SharedDescriptor(copy)
        }
    }

    /// Makes a directory of a name that is free here.
    func makeDirectory(_ name: FileName, mode: UInt32, owner: FileOwner) throws(Errno) -> DestinationDirectory {
        let made = try withUpper { (upper: borrowing FileDescriptor) throws(Errno) in
            try upper.makeDirectory(name.cString, mode: 0o700)
            let made = try upper.open(name.cString, [.directory, .noFollow])
            try made.setOwner(uid: owner.uid, gid: owner.gid)
            try made.setMode(mode)
            return SharedDescriptor(made)
        }
        return DestinationDirectory(path: path + [name], parent: self, lower: nil, upper: made)
    }

    /// Makes the directories of a path that does not exist, and returns the last of them.
    func makeDirectories(
        _ names: some Sequence<FileName>, mode: UInt32 = 0o755, owner: FileOwner
    ) throws(Errno) -> DestinationDirectory {
        var current = self
        for name in names { current = try current.makeDirectory(name, mode: mode, owner: owner) }
        return current
    }

    /// Frees a name in the layer for a new file. What is below needs nothing: the new file hides it.
    ///
    /// EISDIR where a directory has the name, in the layer or below, unless directories are to go as well.
    func clear(_ name: FileName, withDirectories: Bool = false) throws(Errno) {
        guard let status = try status(of: name) else { return }
        if status.isDirectory && !withDirectories { throw .EISDIR }
        try withUpper { (upper: borrowing FileDescriptor) throws(Errno) in try upper.removeTree(name.cString) }
    }

    /// Refuses names that a layer cannot hold: one that begins with `.wh.` would be a whiteout in its archive.
    func requireStorable(_ names: some Sequence<FileName>) throws(BuildError) {
        if marks == nil { return }
        for name in names where name.isWhiteoutMarker {
            throw BuildError(
                .badDestination,
                "cannot make \(TreePath.text(path + [name])): a layer cannot hold names that begin with .wh.",
                remedy: "leave it out, with --exclude or in the ignore file")
        }
    }

    /// The name under which an attribute is kept here: never as a union's note.
    func keptName(_ attribute: ExtendedAttribute) -> [CChar] { Self.keptName(attribute, marks) }

    private static func keptName(_ attribute: ExtendedAttribute, _ marks: OverlayMarks?) -> [CChar] {
        marks?.stored(attribute.name) ?? attribute.name
    }

    /// Sets extended attributes of an open file.
    func set(_ attributes: [ExtendedAttribute], on file: borrowing FileDescriptor) throws(Errno) {
        try Self.set(attributes, on: file, marks)
    }

    private static func set(
        _ attributes: [ExtendedAttribute], on file: borrowing FileDescriptor, _ marks: OverlayMarks?
    ) throws(Errno) {
        for attribute in attributes {
            do throws(Errno) {
                try file.setAttribute(keptName(attribute, marks), attribute.value)
            } catch {
                // What the store's file system has no place for cannot be kept.
                if error != .EOPNOTSUPP { throw error }
            }
        }
    }
}

/// A user and a group by number.
struct FileOwner: Hashable, Sendable {
    var uid: UInt32
    var gid: UInt32

    static let root = FileOwner(uid: 0, gid: 0)
}
