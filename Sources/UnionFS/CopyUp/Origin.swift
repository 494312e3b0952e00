internal import FUSE
internal import Linux

/// Where an upper file came from.
struct Origin {
    /// The handle as it is kept with the file; nil where the lower file system has none.
    let value: [UInt8]?
    /// The inode number that programs see.
    let inode: UInt64
    /// How many names the lower file has.
    let linkCount: UInt32
    /// When it was made; nil where that cannot be known.
    var birthTime: TimeSpec?
}

// Where a copied-up file came from: the lower inode's handle, kept with the copy in the format of the kernel's overlay
// (struct ovl_fb), so that its inode number stays what it was.
extension Union {
    private static let version: UInt8 = 0
    private static let magic: UInt8 = 0xfb
    private static let headerSize = 21
    /// Set where the writer's byte order is big-endian.
    private static let bigEndianFlag: UInt8 = 1

    /// The handle of a lower object as an attribute's value; nil where its file system has no handles.
    func originValue(of source: borrowing FileDescriptor) -> [UInt8]? {
        guard let handle = try? source.fileHandle(), let status = try? source.status(),
            let layer = stack.lowers.first(where: { $0.device == status.device }),
            handle.bytes.count + Self.headerSize <= 255
        else { return nil }
        var value: [UInt8] = [
            Self.version, Self.magic, UInt8(handle.bytes.count + Self.headerSize),
            1.littleEndian == 1 ? 0 : Self.bigEndianFlag, UInt8(truncatingIfNeeded: handle.type),
        ]
        value += layer.uuid
        value += handle.bytes
        return value
    }

    /// Notes the origin on a copy. Where that is not possible, the number changes with the next mount.
    func setOrigin(_ value: [UInt8], on copy: borrowing FileDescriptor) throws(Errno) {
        do throws(Errno) {
            try copy.setAttribute(stack.marks.origin.cString, value)
        } catch {
            // Links and devices take no `user.` attributes.
            if error != .EOPNOTSUPP && error != .EPERM { throw error }
        }
    }

    /// What an upper file was copied up from; nil where it has always been an upper one.
    func origin(of place: borrowing Place, _ status: FileStatus) throws(Errno) -> Origin? {
        guard let value = try place.attribute(stack.marks.origin) else {
            // One that does give out handles has said everything with them.
            return stack.lowers.allSatisfy(\.hasHandles) ? nil : try notedOrigin(of: place, nil)
        }
        guard value.count > Self.headerSize, value[0] == Self.version, value[1] == Self.magic,
            Int(value[2]) == value.count,
            value[3] & Self.bigEndianFlag == (1.littleEndian == 1 ? 0 : Self.bigEndianFlag)
        else { return nil }
        let uuid = Array(value[5..<Self.headerSize])
        guard let layer = stack.lowers.first(where: { $0.uuid == uuid }) else { return nil }
        let handle = FileHandle(type: Int32(value[4]), bytes: Array(value[Self.headerSize...]))
        let object: FileDescriptor
        do throws(Errno) {
            object = try layer.root.open(handle, .path)
        } catch {
            // Handles are for the privileged; ESTALE: what it names is gone.
            return error == .EPERM ? try notedOrigin(of: place, value) : nil
        }
        let origin = try object.status()
        if origin.type != status.type { return nil }
        return Origin(
            value: value, inode: layer.inode(origin.inode), linkCount: origin.linkCount, birthTime: origin.birthTime)
    }

    /// The origin as `noteOrigin` wrote it.
    private func notedOrigin(of place: borrowing Place, _ value: [UInt8]?) throws(Errno) -> Origin? {
        guard let note = try place.attribute(stack.marks.number) else { return nil }
        let fields = String(decoding: note, as: UTF8.self).split(separator: " ")
        guard fields.count == 2, let inode = UInt64(fields[0]), let links = UInt32(fields[1]) else { return nil }
        return Origin(value: value, inode: inode, linkCount: links)
    }

    /// For a server that may not open handles, or where there are none: the number and the link count themselves.
    func noteOrigin(_ inode: UInt64, links: UInt32, on copy: borrowing FileDescriptor) {
        try? copy.setAttribute(stack.marks.number.cString, Array("\(inode) \(links)".utf8))
    }
}
