package import Linux

/// Copies files with everything that belongs to them; files with several names stay so among what is copied.
package final class FileCopier {
    private let attributes: Attributes
    private let isLenient: Bool
    /// Most who copy only what belongs to a directory make no file.
    private lazy var maker = FileMaker()
    private var copies: [FileIdentity: Copy] = [:]

    /// What becomes of extended attributes.
    package enum Attributes: Sendable {
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
        var name: FileName
        /// Names of the original that the copy does not have.
        var missing: Int
    }

    /// Originals that have more names than their copies.
    package var incomplete: Set<FileIdentity> { Set(copies.filter { $0.value.missing > 0 }.keys) }

    /// - Parameter isLenient: whether attributes that the copies' file system cannot keep are passed over.
    package init(_ attributes: Attributes, isLenient: Bool = false) {
        self.attributes = attributes
        self.isLenient = isLenient
    }

    /// Has a file stand for another: whenever that one is to be copied, this one gets a further name instead.
    package func substitute(_ name: FileName, in directory: OpenDirectory, for original: FileIdentity) {
        copies[original] = Copy(directory: directory, name: name, missing: Int.max)
    }

    /// Copies a directory's content and what belongs to it over an empty one.
    package func copyTree(_ source: OpenDirectory, to target: OpenDirectory) throws(Errno) {
        try copyChildren(of: source, to: target)
        try copyMetadata(of: source.descriptor, to: target.descriptor)
    }

    /// Copies what is in a directory, and all below it.
    package func copyChildren(of source: OpenDirectory, to target: OpenDirectory) throws(Errno) {
        for name in try source.names() {
            guard let status = try source.status(name) else { continue }
            if case .plain = attributes, status.isWhiteout || name.isWhiteoutMarker { throw .EINVAL }
            if status.isDirectory {
                try target.descriptor.makeDirectory(name.cString, mode: 0o700)
                try copyTree(try source.open(name), to: try target.open(name))
            } else {
                try copyFile(name, status, from: source, to: target)
            }
        }
    }

    /// Copies one file that is no directory, under the same name.
    package func copyFile(
        _ name: FileName, _ status: FileStatus, from source: OpenDirectory, to target: OpenDirectory
    ) throws(Errno) {
        if status.linkCount > 1 && !status.isWhiteout && !status.isDirectory {
            let identity = FileIdentity(status)
            if let copy = copies[identity] {
                copies[identity]?.missing -= 1
                try copy.directory.descriptor.makeLink(
                    of: copy.name.cString, in: target.descriptor, at: name.cString)
                return
            }
            copies[identity] = Copy(directory: target, name: name, missing: Int(clamping: status.linkCount) - 1)
        }
        guard status.type == .regular else {
            try maker.makeSpecial(name, in: target.descriptor, like: name, of: source, status)
            let from = try source.openFile(name, .path)
            let to = try target.openFile(name, .path)
            try copyMetadata(of: from, to: to)
            return
        }
        let from = try source.descriptor.openRegularFile(name.cString)
        let marks = try referenceMarks(of: from)
        let to = try maker.makeFile(name, in: target.descriptor, like: from, try from.status())
        try copyMetadata(of: from, to: to)
        for (mark, value) in marks { try to.setAttribute(mark, value) }
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
    package func copyMetadata(
        of source: borrowing FileDescriptor, to target: borrowing FileDescriptor
    ) throws(Errno) {
        let status = try source.status()
        let mode = status.isSymbolicLink ? nil : status.permissions
        let (attributes, isLenient) = (attributes, isLenient)
        try target.setMetadata(uid: status.uid, gid: status.gid, mode: mode, times: status) {
            (target: borrowing FileDescriptor) throws(Errno) in
            try target.copyAttributes(of: source, lenient: isLenient) { name in
                switch attributes {
                case .all: name
                case .own(let marks): marks.isMark(name) ? nil : name
                case .plain(let marks): marks.stored(name)
                }
            }
        }
    }
}
