internal import FUSE
internal import Linux

// Reading and writing that the kernel does not do by itself: without backing files, and what is more than reads
// and writes.
extension Union {
    /// Writes at an offset; returns how many bytes. `writer` is nil for one who may keep set-id bits.
    func write(
        _ node: Node, _ data: UnsafeRawBufferPointer, at offset: Int64, by writer: Writer?
    ) throws(Errno) -> Int {
        let file = try descriptor(of: node, write: true)
        defer { changed(successorOf: node) }
        var done = 0
        while done < data.count {
            let rest = UnsafeRawBufferPointer(rebasing: data[done...])
            do throws(Errno) {
                done += try file.value.write(rest, at: offset &+ Int64(done))
            } catch {
                if done == 0 { throw error }
                break
            }
        }
        if writer != nil && !node.flags.contains(.plain) { try dropPrivileges(of: node, open: file, for: writer) }
        return done
    }

    /// fsync of a file. What is in a lower layer is durable, or never will be by our doing.
    func sync(_ node: Node, dataOnly: Bool) throws(Errno) {
        // From ENOSYS the kernel concludes that it need not ask again, and reports success.
        if configuration.ignoresSync { throw .ENOSYS }
        if let successor = successor(of: node) { return try sync(successor, dataOnly: dataOnly) }
        if !node.isUpper { return }
        if node.isMetacopy {
            // The attributes.
            if let file = removedDescriptor(node) { return try file.value.sync(dataOnly: dataOnly) }
            let file = try withObject(node) { (place: borrowing Place) throws(Errno) in try place.open(.readOnly) }
            return try file.sync(dataOnly: dataOnly)
        }
        try descriptor(of: node, write: false).value.sync(dataOnly: dataOnly)
    }

    /// fsync of a directory.
    func sync(directory node: Node, dataOnly: Bool) throws(Errno) {
        if configuration.ignoresSync { throw .ENOSYS }
        if !node.isUpper || node.isRemoved { return }
        let directory = try withObject(node) { (place: borrowing Place) throws(Errno) in
            try place.open([.readOnly, .directory])
        }
        try directory.sync(dataOnly: dataOnly)
    }

    /// fallocate with the mode of fallocate(2).
    func allocate(_ node: Node, mode: Int32, offset: Int64, length: Int64) throws(Errno) {
        try descriptor(of: node, write: true).value.allocate(mode: mode, offset: offset, length: length)
        changed(successorOf: node)
    }

    /// lseek for data and holes; `whence` as in lseek(2).
    func seek(_ node: Node, _ offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        let origin: SeekOrigin
        switch whence {
        case 3: origin = .data
        case 4: origin = .hole
        default: throw .EINVAL
        }
        return try descriptor(of: node, write: false).value.seek(offset, from: origin)
    }

    /// copy_file_range between two files of the union.
    func copyRange(
        _ source: Node, _ offset: Int64, to target: Node, _ targetOffset: Int64, length: Int
    ) throws(Errno) -> Int {
        let from = try descriptor(of: source, write: false)
        let to = try descriptor(of: target, write: true)
        defer { changed(successorOf: target) }
        return try from.value.copyRange(from: offset, to: to.value, at: targetOffset, length: length)
    }
}
