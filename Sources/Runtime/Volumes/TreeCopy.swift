import Linux

/// Copies directories with everything that belongs to their files; hard links become files of their own.
enum TreeCopy {
    /// Makes `target`, a directory, equal to `source`.
    static func copy(from source: borrowing FileDescriptor, to target: borrowing FileDescriptor) throws(Errno) {
        for name in try source.sortedEntryNames() {
            let status = try source.status(of: name)
            switch status.type {
            case .directory:
                try target.makeDirectory(name, mode: 0o700)
                let from = try source.open(name, [.directory, .noFollow])
                try copy(from: from, to: try target.open(name, [.directory, .noFollow]))
            case .symbolicLink:
                let link = try source.readLink(name).map { CChar(bitPattern: $0) } + [0]
                try target.makeSymbolicLink(name, to: link)
                try target.setOwner(of: name, uid: status.uid, gid: status.gid)
                try target.setTimes(of: name, access: status.accessTime, modification: status.modificationTime)
            case .regular:
                let from = try source.openRegularFile(name)
                let to = try target.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
                try to.copyContents(of: from, size: status.size)
                try dress(to, as: from, status)
            case .fifo, .characterDevice, .blockDevice, .socket:
                try target.makeNode(name, mode: status.mode, device: status.rawDevice)
                try target.setOwner(of: name, uid: status.uid, gid: status.gid)
                try target.setMode(of: name, status.permissions)
                try target.setTimes(of: name, access: status.accessTime, modification: status.modificationTime)
            }
        }
        try dress(target, as: source, try source.status())
    }

    /// Owner before mode, because a change of owner clears the set-id bits; times last.
    private static func dress(
        _ target: borrowing FileDescriptor, as source: borrowing FileDescriptor, _ status: FileStatus
    ) throws(Errno) {
        try target.setOwner(uid: status.uid, gid: status.gid)
        try target.setMode(status.permissions)
        try target.copyAttributes(of: source, lenient: true)
        try target.setTimes(access: status.accessTime, modification: status.modificationTime)
    }
}
