import Linux

/// Copies files with everything that belongs to them; files with several names stay so among what is copied.
final class FileCopier {
    private let attributes: Attributes
    private var copies: [FileIdentity: Copy] = [:]

    /// What becomes of extended attributes.
    enum Attributes {
        /// They are copied as they are kept, an overlay's notes too.
        case all
        /// They are copied as they are kept, but for an overlay's notes.
        case own(OverlayMarks)
        /// The originals are no overlay's: whatever they are called is data, and is kept as an overlay keeps it. What
        /// would mean something to an overlay by its name or kind is refused.
        case plain(OverlayMarks)
    }

    private struct Copy {
        var directory: OpenDirectory
        var name: [CChar]
        /// Names of the original that the copy does not have.
        var missing: Int
    }

    /// Originals that have more names than their copies.
    var incomplete: Set<FileIdentity> { Set(copies.filter { $0.value.missing > 0 }.keys) }

    init(_ attributes: Attributes) { self.attributes = attributes }

    /// Has a file stand for another: whenever that one is to be copied, this one gets a further name instead.
    func substitute(_ name: [CChar], in directory: OpenDirectory, for original: FileIdentity) {
        copies[original] = Copy(directory: directory, name: name, missing: Int.max)
    }

    /// Copies what is in a directory, and all below it.
    func copyChildren(of source: OpenDirectory, to target: OpenDirectory) throws(Errno) {
        for name in try source.names() {
            guard let status = try source.descriptor.statusIfPresent(of: name) else { continue }
            if case .plain = attributes, status.isWhiteout || Whiteout(name) != nil { throw .EINVAL }
            guard status.isDirectory else {
                try copyFile(name, status, from: source, to: target)
                continue
            }
            try target.descriptor.makeDirectory(name, mode: 0o700)
            let from = try source.open(name)
            let to = try target.open(name)
            try copyChildren(of: from, to: to)
            try copyMetadata(of: from.descriptor, to: to.descriptor)
        }
    }

    /// Copies one file that is no directory, under the same name.
    func copyFile(
        _ name: [CChar], _ status: FileStatus, from source: OpenDirectory, to target: OpenDirectory
    ) throws(Errno) {
        if status.linkCount > 1 && !status.isWhiteout && !status.isDirectory {
            if let copy = copies[FileIdentity(status)] {
                copies[FileIdentity(status)]?.missing -= 1
                try copy.directory.descriptor.makeLink(of: copy.name, in: target.descriptor, at: name)
                return
            }
            copies[FileIdentity(status)] = Copy(
                directory: target, name: name, missing: Int(clamping: status.linkCount) - 1)
        }
        switch status.type {
        case .regular:
            let from = try source.descriptor.openRegularFile(name)
            let to = try target.descriptor.open(name, [.create, .exclusive, .writeOnly], mode: 0o600)
            let marks = try referenceMarks(of: from)
            try to.copyContents(of: from, size: try from.status().size)
            try copyMetadata(of: from, to: to)
            for (mark, value) in marks { try to.setAttribute(mark, value) }
            return
        case .symbolicLink:
            let link = try source.descriptor.readLink(name).map { CChar(bitPattern: $0) } + [0]
            try target.descriptor.makeSymbolicLink(name, to: link)
        default:
            try target.descriptor.makeNode(name, mode: status.type.rawValue | 0o600, device: status.rawDevice)
        }
        let from = try source.descriptor.open(name, [.path, .noFollow])
        let to = try target.descriptor.open(name, [.path, .noFollow])
        try copyMetadata(of: from, to: to)
    }

    /// The notes on a file whose data are in a layer below. A union in use may copy the data up while the file is being
    /// copied; what was copied before still counts as a file without data then.
    private func referenceMarks(of file: borrowing FileDescriptor) throws(Errno) -> [(mark: [CChar], value: [UInt8])] {
        guard case .all = attributes else { return [] }
        var found: [(mark: [CChar], value: [UInt8])] = []
        for marks in [OverlayMarks.trusted, .user] {
            for mark in [marks.name(.metacopy), marks.name(.redirect)] {
                if let value = try file.attribute(mark) { found.append((mark, value)) }
            }
        }
        return found
    }

    /// Copies owner, extended attributes, mode and times.
    func copyMetadata(of source: borrowing FileDescriptor, to target: borrowing FileDescriptor) throws(Errno) {
        let status = try source.status()
        try target.setOwner(uid: status.uid, gid: status.gid)
        let attributes = attributes
        try target.copyAttributes(of: source) { name in
            switch attributes {
            case .all: name
            case .own(let marks): marks.isMark(name) ? nil : name
            case .plain(let marks): marks.stored(name)
            }
        }
        if !status.isSymbolicLink { try target.setMode(status.permissions) }
        try target.setTimes(access: status.accessTime, modification: status.modificationTime)
    }
}
