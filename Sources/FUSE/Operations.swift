internal import CFuse
internal import Linux

// The functions that C calls: each finds the file system behind the context and hands the request on.

private typealias Context = UnsafeMutableRawPointer?
private typealias RawRequest = UnsafePointer<cfuse_request>?

/// Calls `body` with the file system, the caller, and the obligation to reply.
@inline(__always)
private func serve(
    _ context: Context, _ raw: RawRequest, _ body: (FileSystem, Request, consuming ReplyCore) -> Void
) {
    // Both are set by the session and never null; without them there is nobody to tell.
    guard let context, let raw else { return }
    let request = Request(uid: raw.pointee.uid, gid: raw.pointee.gid, pid: raw.pointee.pid, umask: raw.pointee.umask)
    Unmanaged<FileSystem>.fromOpaque(context)._withUnsafeGuaranteedRef { body($0, request, ReplyCore(raw)) }
}

/// The names of a request are never null; if one were, the empty name would be refused further on.
@inline(__always)
private func name(_ pointer: UnsafePointer<CChar>?) -> Name {
    guard let pointer else {
        let empty: StaticString = ""
        return Name(UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self), length: 0)
    }
    return Name(pointer)
}

/// The table that the session is made with.
func makeOperations() -> cfuse_operations {
    var table = cfuse_operations()
    addNodeOperations(&table)
    addNameOperations(&table)
    addFileOperations(&table)
    addCopyOperations(&table)
    addDirectoryOperations(&table)
    addXattrOperations(&table)
    return table
}

private func addNodeOperations(_ table: inout cfuse_operations) {
    table.lookup = { context, raw, parent, child in
        serve(context, raw) {
            $0.lookup($1, parent: NodeID(rawValue: parent), name: name(child), reply: EntryReply($2))
        }
    }
    table.forget = { context, node, count in
        guard let context else { return }
        Unmanaged<FileSystem>.fromOpaque(context)._withUnsafeGuaranteedRef {
            $0.forget(NodeID(rawValue: node), count: count)
        }
    }
    table.forget_multi = { context, forgets, count in
        guard let context else { return }
        Unmanaged<FileSystem>.fromOpaque(context)._withUnsafeGuaranteedRef { fileSystem in
            for one in UnsafeBufferPointer(start: forgets, count: count) {
                fileSystem.forget(NodeID(rawValue: one.nodeid), count: one.nlookup)
            }
        }
    }
    table.getattr = { context, raw, node, hasHandle, handle in
        serve(context, raw) {
            $0.getattr(
                $1, node: NodeID(rawValue: node), handle: hasHandle == 0 ? nil : HandleID(rawValue: handle),
                reply: AttributesReply($2))
        }
    }
    table.setattr = { context, raw, node, changes in
        serve(context, raw) {
            guard let changes else { return }
            $0.setattr(
                $1, node: NodeID(rawValue: node), changes: AttributeChanges(changes.pointee),
                reply: AttributesReply($2))
        }
    }
    table.statx = { context, raw, node, hasHandle, handle, _, _ in
        serve(context, raw) {
            $0.statx(
                $1, node: NodeID(rawValue: node), handle: hasHandle == 0 ? nil : HandleID(rawValue: handle),
                reply: StatusExtendedReply($2))
        }
    }
    table.readlink = { context, raw, node in
        serve(context, raw) { $0.readlink($1, node: NodeID(rawValue: node), reply: LinkTargetReply($2)) }
    }
    table.access = { context, raw, node, mask in
        serve(context, raw) { $0.access($1, node: NodeID(rawValue: node), mask: mask, reply: StatusReply($2)) }
    }
}

private func addNameOperations(_ table: inout cfuse_operations) {
    table.mknod = { context, raw, parent, child, mode, device in
        serve(context, raw) {
            $0.mknod(
                $1, parent: NodeID(rawValue: parent), name: name(child), mode: mode, device: UInt64(device),
                reply: EntryReply($2))
        }
    }
    table.mkdir = { context, raw, parent, child, mode in
        serve(context, raw) {
            $0.mkdir($1, parent: NodeID(rawValue: parent), name: name(child), mode: mode, reply: EntryReply($2))
        }
    }
    table.symlink = { context, raw, target, parent, child in
        serve(context, raw) {
            $0.symlink(
                $1, parent: NodeID(rawValue: parent), name: name(child), target: name(target), reply: EntryReply($2))
        }
    }
    table.link = { context, raw, node, parent, child in
        serve(context, raw) {
            $0.link(
                $1, node: NodeID(rawValue: node), parent: NodeID(rawValue: parent), name: name(child),
                reply: EntryReply($2))
        }
    }
    table.unlink = { context, raw, parent, child in
        serve(context, raw) {
            $0.unlink($1, parent: NodeID(rawValue: parent), name: name(child), reply: StatusReply($2))
        }
    }
    table.rmdir = { context, raw, parent, child in
        serve(context, raw) {
            $0.rmdir($1, parent: NodeID(rawValue: parent), name: name(child), reply: StatusReply($2))
        }
    }
    table.rename = { context, raw, parent, child, newParent, newChild, flags in
        serve(context, raw) {
            $0.rename(
                $1, parent: NodeID(rawValue: parent), name: name(child), newParent: NodeID(rawValue: newParent),
                newName: name(newChild), flags: flags, reply: StatusReply($2))
        }
    }
    table.create = { context, raw, parent, child, mode, flags, kernelFlags in
        serve(context, raw) {
            $0.create(
                $1, parent: NodeID(rawValue: parent), name: name(child), mode: mode, flags: OpenFlags(rawValue: flags),
                kernelFlags: OpenRequestFlags(rawValue: kernelFlags), reply: CreateReply($2))
        }
    }
    table.tmpfile = { context, raw, parent, mode, flags, kernelFlags in
        serve(context, raw) {
            $0.tmpfile(
                $1, parent: NodeID(rawValue: parent), mode: mode, flags: OpenFlags(rawValue: flags),
                kernelFlags: OpenRequestFlags(rawValue: kernelFlags), reply: CreateReply($2))
        }
    }
}

private func addFileOperations(_ table: inout cfuse_operations) {
    table.open = { context, raw, node, flags, kernelFlags in
        serve(context, raw) {
            $0.open(
                $1, node: NodeID(rawValue: node), flags: OpenFlags(rawValue: flags),
                kernelFlags: OpenRequestFlags(rawValue: kernelFlags), reply: OpenReply($2))
        }
    }
    table.read = { context, raw, node, handle, offset, size, _ in
        serve(context, raw) {
            $0.read(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), offset: offset, size: size,
                reply: DataReply($2))
        }
    }
    table.write = { context, raw, node, handle, offset, data, size, _, writeFlags in
        serve(context, raw) {
            $0.write(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), offset: offset,
                data: UnsafeRawBufferPointer(start: data, count: size), flags: WriteFlags(rawValue: writeFlags),
                reply: WriteReply($2))
        }
    }
    table.flush = { context, raw, node, handle, _ in
        serve(context, raw) {
            $0.flush($1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), reply: StatusReply($2))
        }
    }
    table.release = { context, raw, node, handle, _ in
        serve(context, raw) {
            $0.release($1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), reply: StatusReply($2))
        }
    }
    table.fsync = { context, raw, node, handle, dataOnly in
        serve(context, raw) {
            $0.fsync(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), dataOnly: dataOnly != 0,
                reply: StatusReply($2))
        }
    }
    table.fallocate = { context, raw, node, handle, mode, offset, length in
        serve(context, raw) {
            $0.fallocate(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), mode: mode, offset: offset,
                length: length, reply: StatusReply($2))
        }
    }
    table.lseek = { context, raw, node, handle, offset, whence in
        serve(context, raw) {
            $0.lseek(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), offset: offset, whence: whence,
                reply: SeekReply($2))
        }
    }
    table.ioctl = { context, raw, node, handle, command, _, input, inputSize, outputSize in
        serve(context, raw) {
            $0.ioctl(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), command: command,
                input: UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : inputSize),
                outputSize: outputSize, reply: IoctlReply($2))
        }
    }
}

/// The largest count that one call moves (the kernel's MAX_RW_COUNT with pages of 4 KiB).
private let largestCopy = 0x7fff_f000

private func addCopyOperations(_ table: inout cfuse_operations) {
    table.copy_file_range = { context, raw, from, fromHandle, fromOffset, to, toHandle, toOffset, length, _ in
        serve(context, raw) {
            $0.copyFileRange(
                $1, from: NodeID(rawValue: from), fromHandle: HandleID(rawValue: fromHandle), fromOffset: fromOffset,
                to: NodeID(rawValue: to), toHandle: HandleID(rawValue: toHandle), toOffset: toOffset, length: length,
                reply: WriteReply($2))
        }
    }
    table.copy_file_range_64 = { context, raw, from, fromHandle, fromOffset, to, toHandle, toOffset, length, _ in
        serve(context, raw) {
            $0.copyFileRange(
                $1, from: NodeID(rawValue: from), fromHandle: HandleID(rawValue: fromHandle), fromOffset: fromOffset,
                to: NodeID(rawValue: to), toHandle: HandleID(rawValue: toHandle), toOffset: toOffset,
                length: min(max(length, 0), largestCopy), reply: WriteReply($2, isWide: true))
        }
    }
}

/// The worker's memory, as much of it as the kernel asked for.
private func directoryBuffer(_ size: Int) -> DirectoryBuffer {
    var available = 0
    let memory = cfuse_scratch(&available)
    return DirectoryBuffer(
        borrowing: UnsafeMutableRawBufferPointer(start: memory, count: memory == nil ? 0 : min(size, available)))
}

private func addDirectoryOperations(_ table: inout cfuse_operations) {
    table.opendir = { context, raw, node, flags in
        serve(context, raw) {
            $0.opendir($1, node: NodeID(rawValue: node), flags: OpenFlags(rawValue: flags), reply: OpenReply($2))
        }
    }
    table.readdir = { context, raw, node, handle, offset, size in
        serve(context, raw) {
            var buffer = directoryBuffer(size)
            $0.readdir(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), offset: offset, into: &buffer,
                reply: DirectoryReply($2))
        }
    }
    table.readdirplus = { context, raw, node, handle, offset, size in
        serve(context, raw) {
            var buffer = directoryBuffer(size)
            $0.readdirplus(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), offset: offset, into: &buffer,
                reply: DirectoryReply($2))
        }
    }
    table.releasedir = { context, raw, node, handle, _ in
        serve(context, raw) {
            $0.releasedir($1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), reply: StatusReply($2))
        }
    }
    table.fsyncdir = { context, raw, node, handle, dataOnly in
        serve(context, raw) {
            $0.fsyncdir(
                $1, node: NodeID(rawValue: node), handle: HandleID(rawValue: handle), dataOnly: dataOnly != 0,
                reply: StatusReply($2))
        }
    }
    table.statfs = { context, raw, node in
        serve(context, raw) { $0.statfs($1, node: NodeID(rawValue: node), reply: FileSystemStatusReply($2)) }
    }
}

private func addXattrOperations(_ table: inout cfuse_operations) {
    table.setxattr = { context, raw, node, attribute, value, size, flags, killSetGroupID in
        serve(context, raw) {
            $0.setxattr(
                $1, node: NodeID(rawValue: node), name: name(attribute),
                value: UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size), flags: flags,
                killSetGroupID: killSetGroupID != 0, reply: StatusReply($2))
        }
    }
    table.getxattr = { context, raw, node, attribute, size in
        serve(context, raw) {
            $0.getxattr(
                $1, node: NodeID(rawValue: node), name: name(attribute), size: size, reply: XattrReply($2))
        }
    }
    table.listxattr = { context, raw, node, size in
        serve(context, raw) { $0.listxattr($1, node: NodeID(rawValue: node), size: size, reply: XattrReply($2)) }
    }
    table.removexattr = { context, raw, node, attribute in
        serve(context, raw) {
            $0.removexattr($1, node: NodeID(rawValue: node), name: name(attribute), reply: StatusReply($2))
        }
    }
}
