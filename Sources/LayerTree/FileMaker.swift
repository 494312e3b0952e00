package import Linux

/// Makes files like others: of their kind and with their content. What else belongs to them is the caller's to set, with
/// `FileDescriptor.setMetadata`.
package final class FileMaker {
    private static let bufferSize = 1 << 16
    /// Small files go through memory: for them one read and one write are cheaper than asking the file system to share
    /// or to copy.
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: FileMaker.bufferSize, alignment: 4096)

    package init() {}

    deinit { memory.deallocate() }

    /// Makes a regular file with the content of an open one, holes kept, for its owner alone, and returns it open for
    /// writing.
    ///
    /// - Parameter status: what the original says of itself.
    package func makeFile(
        _ name: FileName, in directory: borrowing FileDescriptor, like original: borrowing FileDescriptor,
        _ status: FileStatus
    ) throws(Errno) -> FileDescriptor {
        let file = try directory.open(name.cString, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        let isSparse = status.allocatedSize < status.size
        if status.size > Self.bufferSize || (isSparse && status.size > 4096) {
            try file.copyContents(of: original, size: status.size)
            return file
        }
        while true {
            let count = try original.read(into: memory)
            if count == 0 { return file }
            try file.writeAll(UnsafeRawBufferPointer(rebasing: memory[..<count]))
        }
    }

    /// Makes a symbolic link, device, pipe or socket like one that `source` holds.
    package func makeSpecial(
        _ name: FileName, in directory: borrowing FileDescriptor, like original: FileName, of source: OpenDirectory,
        _ status: FileStatus
    ) throws(Errno) {
        if status.isSymbolicLink {
            let link = try source.descriptor.readLink(original.cString).map { CChar(bitPattern: $0) } + [0]
            try directory.makeSymbolicLink(name.cString, to: link)
        } else {
            try directory.makeNode(
                name.cString, mode: status.type.rawValue | 0o600, device: status.rawDevice)
        }
    }
}

extension FileDescriptor {
    /// Sets what belongs to a file besides its content, in the order in which each survives the next: a change of the
    /// owner takes set-id bits and capabilities away, and every other change moves the times.
    ///
    /// - Parameters:
    ///   - mode: the permissions; nil for a symbolic link, which has none.
    ///   - setAttributes: sets the extended attributes.
    package func setMetadata(
        uid: UInt32, gid: UInt32, mode: UInt32?, times status: FileStatus,
        _ setAttributes: (borrowing FileDescriptor) throws(Errno) -> Void
    ) throws(Errno) {
        try setOwner(uid: uid, gid: gid)
        if let mode { try setMode(mode) }
        try setAttributes(self)
        try setTimes(access: status.accessTime, modification: status.modificationTime)
    }
}
