public import FUSE
internal import Glibc
public import Linux

/// A union mounted: answers the kernel's requests with what `Union` does.
public final class UnionFileSystem: FileSystem {
    let union: Union

    /// Serves a union.
    public init(_ union: Union) {
        self.union = union
        super.init()
    }

    /// For how long the kernel may keep what a reply says.
    private var timeout: Timeout { union.configuration.timeout }

    public override func initialize(_ session: Session) {
        union.begin(session)
    }

    // MARK: Nodes

    public override func lookup(_ request: Request, parent: NodeID, name: Name, reply: consuming EntryReply) {
        do throws(Errno) {
            let found = try union.lookup(parent, name)
            reply.entry(found ?? .negative(timeout: timeout))
        } catch {
            reply.error(error)
        }
    }

    public override func forget(_ node: NodeID, count: UInt64) { union.forget(node, count: count) }

    public override func getattr(
        _ request: Request, node: NodeID, handle: HandleID?, reply: consuming AttributesReply
    ) {
        do throws(Errno) {
            let target = try union.node(node)
            reply.attributes(try union.getattr(target), timeout: union.attributesTimeout(of: target))
        } catch {
            reply.error(error)
        }
    }

    public override func setattr(
        _ request: Request, node: NodeID, changes: AttributeChanges, reply: consuming AttributesReply
    ) {
        do throws(Errno) {
            let target = try union.node(node)
            let attributes = try union.setattr(target, inLayer(changes), request)
            reply.attributes(attributes, timeout: union.attributesTimeout(of: target))
        } catch {
            reply.error(error)
        }
    }

    public override func statx(
        _ request: Request, node: NodeID, handle: HandleID?, reply: consuming StatusExtendedReply
    ) {
        do throws(Errno) {
            let target = try union.node(node)
            let timeout = union.attributesTimeout(of: target)
            reply.status(try union.getattr(target), birthTime: union.birthTime(target), timeout: timeout)
        } catch {
            reply.error(error)
        }
    }

    public override func readlink(_ request: Request, node: NodeID, reply: consuming LinkTargetReply) {
        do throws(Errno) {
            let target = try union.readlink(try union.node(node))
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(target.count, 1), alignment: 1)
            defer { bytes.deallocate() }
            bytes.copyBytes(from: target)
            reply.target(UnsafeRawBufferPointer(rebasing: bytes[..<target.count]))
        } catch {
            reply.error(error)
        }
    }

    // MARK: Names

    public override func mknod(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, device: UInt64, reply: consuming EntryReply
    ) {
        do throws(Errno) {
            let request = inLayer(request)
            reply.entry(try union.mknod(try union.node(parent), name, mode: mode, device: device, request))
        } catch {
            reply.error(error)
        }
    }

    public override func mkdir(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, reply: consuming EntryReply
    ) {
        do throws(Errno) {
            reply.entry(try union.mkdir(try union.node(parent), name, mode: mode, inLayer(request)))
        } catch {
            reply.error(error)
        }
    }

    public override func symlink(
        _ request: Request, parent: NodeID, name: Name, target: Name, reply: consuming EntryReply
    ) {
        do throws(Errno) {
            reply.entry(try union.symlink(try union.node(parent), name, target: target, inLayer(request)))
        } catch {
            reply.error(error)
        }
    }

    public override func link(
        _ request: Request, node: NodeID, parent: NodeID, name: Name, reply: consuming EntryReply
    ) {
        do throws(Errno) {
            reply.entry(try union.link(try union.node(node), try union.node(parent), name))
        } catch {
            reply.error(error)
        }
    }

    public override func unlink(_ request: Request, parent: NodeID, name: Name, reply: consuming StatusReply) {
        do throws(Errno) {
            try union.unlink(try union.node(parent), name)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    public override func rmdir(_ request: Request, parent: NodeID, name: Name, reply: consuming StatusReply) {
        do throws(Errno) {
            try union.rmdir(try union.node(parent), name)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    public override func rename(
        _ request: Request, parent: NodeID, name: Name, newParent: NodeID, newName: Name, flags: UInt32,
        reply: consuming StatusReply
    ) {
        do throws(Errno) {
            try union.rename(try union.node(parent), name, to: try union.node(newParent), newName, flags: flags)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    // MARK: Directories

    public override func readdir(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, into buffer: inout DirectoryBuffer,
        reply: consuming DirectoryReply
    ) {
        do throws(Errno) {
            try union.readdir(try union.node(node), after: offset, plus: false, into: &buffer)
            reply.entries(buffer)
        } catch {
            reply.error(error)
        }
    }

    public override func readdirplus(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, into buffer: inout DirectoryBuffer,
        reply: consuming DirectoryReply
    ) {
        do throws(Errno) {
            try union.readdir(try union.node(node), after: offset, plus: true, into: &buffer)
            reply.entries(buffer)
        } catch {
            reply.error(error)
        }
    }

    public override func fsyncdir(
        _ request: Request, node: NodeID, handle: HandleID, dataOnly: Bool, reply: consuming StatusReply
    ) {
        do throws(Errno) {
            try union.sync(directory: try union.node(node), dataOnly: dataOnly)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    public override func statfs(_ request: Request, node: NodeID, reply: consuming FileSystemStatusReply) {
        do throws(Errno) {
            reply.status(try union.fileSystemStatus())
        } catch {
            reply.error(error)
        }
    }

    // MARK: Files

    public override func open(
        _ request: Request, node: NodeID, flags: OpenFlags, kernelFlags: OpenRequestFlags, reply: consuming OpenReply
    ) {
        do throws(Errno) {
            let writer = kernelFlags.contains(.killPrivileges) ? Writer(request) : nil
            let opened = try union.open(try union.node(node), flags, by: writer)
            if !reply.opened(.none, flags: opened.flags, backing: opened.backing) { released(node) }
        } catch {
            reply.error(error)
        }
    }

    public override func create(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, flags: OpenFlags,
        kernelFlags: OpenRequestFlags, reply: consuming CreateReply
    ) {
        do throws(Errno) {
            let (entry, opened) = try union.create(try union.node(parent), name, mode: mode, flags, inLayer(request))
            if !reply.created(entry, .none, flags: opened.flags, backing: opened.backing) {
                released(entry.node)
                union.forget(entry.node, count: 1)
            }
        } catch {
            reply.error(error)
        }
    }

    public override func tmpfile(
        _ request: Request, parent: NodeID, mode: UInt32, flags: OpenFlags, kernelFlags: OpenRequestFlags,
        reply: consuming CreateReply
    ) {
        do throws(Errno) {
            let (entry, opened) = try union.tmpfile(
                try union.node(parent), mode: mode, flags, inLayer(request))
            if !reply.created(entry, .none, flags: opened.flags, backing: opened.backing) {
                released(entry.node)
                union.forget(entry.node, count: 1)
            }
        } catch {
            reply.error(error)
        }
    }

    public override func release(
        _ request: Request, node: NodeID, handle: HandleID, reply: consuming StatusReply
    ) {
        released(node)
        reply.ok()
    }

    private func released(_ id: NodeID) {
        if let node = try? union.node(id) { union.release(node) }
    }

    public override func read(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, size: Int, reply: consuming DataReply
    ) {
        do throws(Errno) {
            let file = try union.descriptor(of: try union.node(node), write: false)
            reply.data(from: file.value, offset: offset, count: size)
        } catch {
            reply.error(error)
        }
    }

    public override func write(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, data: UnsafeRawBufferPointer,
        flags: WriteFlags, reply: consuming WriteReply
    ) {
        do throws(Errno) {
            let writer = flags.contains(.killPrivileges) ? Writer(request) : nil
            reply.written(try union.write(try union.node(node), data, at: offset, by: writer))
        } catch {
            reply.error(error)
        }
    }

    public override func fsync(
        _ request: Request, node: NodeID, handle: HandleID, dataOnly: Bool, reply: consuming StatusReply
    ) {
        do throws(Errno) {
            try union.sync(try union.node(node), dataOnly: dataOnly)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    public override func fallocate(
        _ request: Request, node: NodeID, handle: HandleID, mode: Int32, offset: Int64, length: Int64,
        reply: consuming StatusReply
    ) {
        do throws(Errno) {
            try union.allocate(try union.node(node), mode: mode, offset: offset, length: length)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    public override func lseek(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, whence: Int32, reply: consuming SeekReply
    ) {
        do throws(Errno) {
            reply.offset(try union.seek(try union.node(node), offset, whence: whence))
        } catch {
            reply.error(error)
        }
    }

    public override func copyFileRange(
        _ request: Request, from: NodeID, fromHandle: HandleID, fromOffset: Int64, to: NodeID, toHandle: HandleID,
        toOffset: Int64, length: Int, reply: consuming WriteReply
    ) {
        do throws(Errno) {
            let (source, target) = (try union.node(from), try union.node(to))
            reply.written(try union.copyRange(source, fromOffset, to: target, toOffset, length: length))
        } catch {
            reply.error(error)
        }
    }

    // MARK: Extended attributes

    public override func setxattr(
        _ request: Request, node: NodeID, name: Name, value: UnsafeRawBufferPointer, flags: Int32,
        killSetGroupID: Bool, reply: consuming StatusReply
    ) {
        do throws(Errno) {
            let target = try union.node(node)
            let translated = valueInLayer(name, value)
            defer { translated?.deallocate() }
            let value = translated.map { UnsafeRawBufferPointer($0) } ?? value
            try union.setxattr(target, name, value, flags: flags, killSetGroupID: killSetGroupID)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    public override func getxattr(
        _ request: Request, node: NodeID, name: Name, size: Int, reply: consuming XattrReply
    ) {
        answer(reply, size: size) { buffer throws(Errno) in
            let count = try self.union.getxattr(try self.union.node(node), name, into: buffer)
            self.showOwners(name, buffer, count)
            return count
        }
    }

    public override func listxattr(_ request: Request, node: NodeID, size: Int, reply: consuming XattrReply) {
        answer(reply, size: size) { buffer throws(Errno) in
            try self.union.listxattr(try self.union.node(node), request, into: buffer)
        }
    }

    /// Values are at most 64 KiB (XATTR_SIZE_MAX), and so are lists of names.
    private func answer(
        _ reply: consuming XattrReply, size: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(max(size, 1), 1 << 16), alignment: 16)
        defer { buffer.deallocate() }
        do throws(Errno) {
            if size == 0 {
                reply.size(try body(UnsafeMutableRawBufferPointer(start: nil, count: 0)))
            } else {
                let count = try body(buffer)
                if count > buffer.count { throw .ERANGE }
                reply.value(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        } catch {
            reply.error(error)
        }
    }

    public override func removexattr(
        _ request: Request, node: NodeID, name: Name, reply: consuming StatusReply
    ) {
        do throws(Errno) {
            try union.removexattr(try union.node(node), name)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }
}
