internal import FUSE
internal import Glibc
internal import Linux

extension Union {
    /// What is to be made, and for whom.
    struct Making {
        let parent: Node
        let name: Text
        let request: Request
        /// Type and permissions that were asked for.
        let mode: UInt32

        var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    }

    // MARK: Operations

    /// mknod. A whiteout is not for programs to make.
    func mknod(
        _ parent: Node, _ name: Text, mode: UInt32, device: UInt64, _ request: Request
    ) throws(Errno) -> Entry {
        if mode & S_IFMT == S_IFCHR && device == 0 { throw .EPERM }
        let making = Making(parent: parent, name: name, request: request, mode: mode)
        return try make(making) { (place: borrowing Place, mode: UInt32) throws(Errno) in
            try place.directory.makeNode(place.path, mode: mode, device: device)
        }
    }

    /// mkdir.
    func mkdir(_ parent: Node, _ name: Text, mode: UInt32, _ request: Request) throws(Errno) -> Entry {
        let making = Making(parent: parent, name: name, request: request, mode: mode & 0o7777 | S_IFDIR)
        return try make(making) { (place: borrowing Place, mode: UInt32) throws(Errno) in
            try place.directory.makeDirectory(place.path, mode: mode & 0o7777)
        }
    }

    /// symlink.
    func symlink(_ parent: Node, _ name: Text, target: Text, _ request: Request) throws(Errno) -> Entry {
        let making = Making(parent: parent, name: name, request: request, mode: S_IFLNK | 0o777)
        return try make(making) { (place: borrowing Place, _) throws(Errno) in
            try place.directory.makeSymbolicLink(place.path, to: target.pointer)
        }
    }

    /// create: makes a file and opens it. The kernel has looked the name up, so there is none; if there is one after all,
    /// it is opened unless the flags forbid that.
    func create(
        _ parent: Node, _ name: Text, mode: UInt32, _ flags: OpenFlags, _ request: Request
    ) throws(Errno) -> (entry: Entry, opened: Opened) {
        let making = Making(parent: parent, name: name, request: request, mode: mode & 0o7777 | S_IFREG)
        var file = FileDescriptor(owning: -1)
        do throws(Errno) {
            let made = try make(making) { (place: borrowing Place, mode: UInt32) throws(Errno) in
                file = try place.open([.create, .exclusive, .readWrite], mode: mode & 0o7777)
            }
            let node = try node(made.node)
            let opened = adopt(file, for: node, flags)
            return (entry(of: node, made.attributes), opened)
        } catch {
            guard error == .EEXIST, !flags.contains(.exclusive) else { throw error }
        }
        guard let found = try lookup(parent, name) else { throw .ESTALE }
        do throws(Errno) {
            let node = try node(found.node)
            let opened = try open(node, flags, by: nil)
            return (entry(of: node, found.attributes), opened)
        } catch {
            forget(found.node, count: 1)
            throw error
        }
    }

    /// A file without a name (`O_TMPFILE`).
    func tmpfile(
        _ parent: Node, mode: UInt32, _ flags: OpenFlags, _ request: Request
    ) throws(Errno) -> (entry: Entry, opened: Opened) {
        let (upper, work) = try writable()
        try copyUp(parent)
        let file: FileDescriptor
        if try hasDefaultACL(parent) {
            // Only the directory itself hands its default ACL down, and its group.
            file = try withObject(parent) { (place: borrowing Place) throws(Errno) in
                try place.open([.temporaryFile, .readWrite], mode: mode & 0o7777)
            }
            let status = try file.status()
            let handsDown = try withObject(parent) { (place: borrowing Place) throws(Errno) in
                try place.status().mode & S_ISGID != 0
            }
            let gid = handsDown ? status.gid : request.gid
            if request.uid != status.uid || gid != status.gid {
                try file.setOwner(uid: request.uid, gid: gid)
                try file.setMode(status.permissions)
            }
        } else {
            guard let plain = try work.temporaryFile() else { throw .EOPNOTSUPP }
            file = plain
            let directory = try withObject(parent) { (place: borrowing Place) throws(Errno) in try place.status() }
            let gid = directory.mode & S_ISGID != 0 ? directory.gid : request.gid
            if request.uid != ownUser || gid != ownGroup { try file.setOwner(uid: request.uid, gid: gid) }
            try file.setMode(mode & 0o7777 & ~request.umask)
        }
        let status = try file.status()
        let node = table.enterNameless(
            NodeTable.Description(inode: upper.inode(status.inode), type: .regular, flags: .upper))
        let attributes = try attributes(of: node, status)
        let opened = adopt(file, for: node, flags)
        return (entry(of: node, attributes), opened)
    }

    // MARK: Making

    /// Makes an object in the upper layer, with the caller as its owner, and enters it in the table.
    private func make(
        _ making: Making, _ body: (borrowing Place, UInt32) throws(Errno) -> Void
    ) throws(Errno) -> Entry {
        _ = try writable()
        try checkCreatable(making.name)
        try copyUp(making.parent)
        let hasACL = try hasDefaultACL(making.parent)
        let mode = hasACL || making.mode & S_IFMT == S_IFLNK ? making.mode : making.mode & ~making.request.umask
        return try tree.read { () throws(Errno) -> Entry in
            let place = try upperPlace(making.parent, making.name)
            do throws(Errno) {
                try body(place, mode)
            } catch {
                guard error == .EEXIST, try place.status().isWhiteout else { throw error }
                try makeOverWhiteout(making, mode, place, hasACL: hasACL, body)
                return try enter(making, place, try place.status())
            }
            do throws(Errno) {
                return try enter(making, place, try giveAway(making, mode, place))
            } catch {
                remove(making, place)
                throw error
            }
        }
    }

    private func enter(
        _ making: Making, _ place: borrowing Place, _ status: FileStatus
    ) throws(Errno) -> Entry {
        var description = NodeTable.Description(
            inode: place.layer.inode(status.inode), type: status.type, flags: [.upper, .purityKnown])
        if status.isDirectory {
            description.flags.insert(.pure)
            let state = DirectoryState(lowers: [], isResolved: true, mayMerge: false)
            state.markersKnown = true
            state.upperHasMarkers = false
            description.directory = state
        } else if status.isRegular {
            description.flags.insert(.noCapability)
        }
        let node = table.enter(making.parent, making.name, description)
        entryAdded(making.parent, making.name, place, status)
        return entry(of: node, try attributes(of: node, status))
    }

    /// Makes the caller the owner. The layer's file system has made the object for this process, or for the group of a
    /// directory that hands its group down.
    private func giveAway(
        _ making: Making, _ mode: UInt32, _ place: borrowing Place
    ) throws(Errno) -> FileStatus {
        let status = try place.status()
        let request = making.request
        var gid: UInt32? = status.gid == request.gid ? nil : request.gid
        if gid != nil, let upper = stack.upper {
            let parent = try Place.upper(upper, making.parent).status()
            if parent.mode & S_ISGID != 0 { gid = nil }
        }
        let uid: UInt32? = status.uid == request.uid ? nil : request.uid
        if uid == nil && gid == nil { return status }
        try setOwner(place, uid: uid, gid: gid)
        // Giving a file away takes its set-id bits.
        if mode & 0o6000 != 0 && status.isRegular {
            try place.directory.setMode(of: place.path, status.permissions)
        }
        return try place.status()
    }

    private func remove(_ making: Making, _ place: borrowing Place) {
        if making.isDirectory {
            try? place.directory.removeDirectory(place.path)
        } else {
            try? place.directory.unlink(place.path)
        }
    }

    /// Makes the object where a whiteout is. It takes the whiteout's place at once, so that what the whiteout hides never
    /// shows; a directory is opaque before it does. Only a directory that has a default ACL hands it down: a temporary one
    /// does.
    private func makeOverWhiteout(
        _ making: Making, _ mode: UInt32, _ place: borrowing Place, hasACL: Bool,
        _ body: (borrowing Place, UInt32) throws(Errno) -> Void
    ) throws(Errno) {
        let (upper, work) = try writable()
        let directory = try Place.upper(upper, making.parent)
        let parent = try directory.status()
        let temporary = try work.temporary()
        do throws(Errno) {
            guard hasACL else {
                try body(temporary, mode)
                try giveAway(temporary, making, mode, parent)
                return try replaceWhiteout(at: place, by: temporary, making)
            }
            let list = try directory.attribute("system.posix_acl_default") ?? []
            try temporary.directory.makeDirectory(temporary.path, mode: 0o700)
            try setBytes("system.posix_acl_default", list, temporary)
            let object = try work.place(below: temporary)
            try body(object, mode)
            try giveAway(object, making, try object.status().mode, parent)
            try replaceWhiteout(at: place, by: object, making)
        } catch {
            work.discard(temporary)
            throw error
        }
        work.discard(temporary)
    }

    private func replaceWhiteout(
        at place: borrowing Place, by temporary: borrowing Place, _ making: Making
    ) throws(Errno) {
        guard making.isDirectory else { return try temporary.rename(to: place) }
        try setBytes(stack.marks.opaque, [UInt8(ascii: "y")], temporary)
        try temporary.rename(to: place, .exchange)
        try? temporary.directory.unlink(temporary.path)
    }

    /// As the directory that the object will be in would do it.
    private func giveAway(
        _ temporary: borrowing Place, _ making: Making, _ mode: UInt32, _ parent: FileStatus
    ) throws(Errno) {
        let handsDown = parent.mode & S_ISGID != 0
        let gid = handsDown ? parent.gid : making.request.gid
        if making.request.uid != ownUser || gid != ownGroup {
            try setOwner(temporary, uid: making.request.uid, gid: gid)
        }
        let wanted = making.isDirectory && handsDown ? mode | S_ISGID : mode
        if mode & S_IFMT != S_IFLNK && (wanted & 0o7000 != 0) {
            try temporary.directory.setMode(of: temporary.path, wanted & 0o7777)
        }
    }

    /// Whether new objects in a directory get their permissions from its default ACL instead of the umask.
    private func hasDefaultACL(_ node: Node) throws(Errno) -> Bool {
        let flags = node.flags
        if flags.contains(.defaultACLKnown) { return flags.contains(.defaultACL) }
        let found = try withObject(node) { (place: borrowing Place) throws(Errno) in
            do throws(Errno) {
                let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
                return try place.directory.attribute("system.posix_acl_default", of: place.path, into: none) > 0
            } catch {
                if error == .ENODATA || error == .EOPNOTSUPP { return false }
                throw error
            }
        }
        node.set(found ? [.defaultACL, .defaultACLKnown] : .defaultACLKnown)
        return found
    }
}
