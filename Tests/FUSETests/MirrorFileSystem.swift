import FUSE
import Glibc
import Linux
import Synchronization
import TestSupport

/// A file system that shows a directory as it is: enough of one to see each part of the session layer at work.
///
/// Nodes are known by path, so it is no good for renaming; it is not meant to be.
final class MirrorFileSystem: FileSystem, @unchecked Sendable {
    /// How long the kernel may keep names and attributes.
    var timeout = Timeout.unlimited
    /// Whether opens hand the file to the kernel.
    var usesPassthrough = true
    /// Drops requests for this name without an answer.
    var unansweredName: String?
    /// Requests for this name wait until `released` is set, at most 20 s.
    var heldName: String?
    /// How many requests wait.
    let held = Atomic<Int>(0)
    let released = Atomic<Bool>(false)
    /// What reached the server, by operation.
    let counters = Mutex<[String: Int]>([:])
    /// SETATTR requests that asked for nothing.
    let emptyChanges = Atomic<Int>(0)
    let destroyed = Atomic<Bool>(false)

    private let root: String
    private let state = Mutex(State())
    private weak var session: Session?

    private struct State {
        var paths: [UInt64: String] = [1: ""]
        var nodes: [String: UInt64] = ["": 1]
        var last: UInt64 = 1
    }

    /// An open file: what the handle stands for.
    private final class OpenFile {
        let file: FileDescriptor
        let backing: BackingID?

        init(_ file: consuming FileDescriptor, _ backing: BackingID?) {
            self.file = file
            self.backing = backing
        }
    }

    init(root: String) { self.root = root }

    override func initialize(_ session: Session) { self.session = session }
    override func destroy() { destroyed.store(true, ordering: .relaxed) }

    func count(_ operation: String) -> Int { counters.withLock { $0[operation] ?? 0 } }
    func resetCounters() { counters.withLock { $0 = [:] } }
    private func note(_ operation: String) { counters.withLock { $0[operation, default: 0] += 1 } }

    // MARK: Paths

    private func path(_ node: NodeID) throws(Errno) -> String {
        guard let path = state.withLock({ $0.paths[node.rawValue] }) else { throw .ESTALE }
        return path.hasPrefix("/proc/") ? path : root + path
    }

    private func path(_ parent: NodeID, _ name: Name) throws(Errno) -> String {
        try path(parent) + "/" + String(cString: name.pointer)
    }

    private func node(for path: String) -> NodeID {
        let relative = path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
        return state.withLock { state in
            if let known = state.nodes[relative] { return NodeID(rawValue: known) }
            state.last += 1
            state.nodes[relative] = state.last
            state.paths[state.last] = relative
            return NodeID(rawValue: state.last)
        }
    }

    private func entry(_ path: String) throws(Errno) -> Entry {
        let follow = path.hasPrefix("/proc/")
        let status = try FileDescriptor.currentDirectory.status(of: path, followSymlinks: follow)
        var entry = Entry(node: node(for: path), attributes: Attributes(status))
        entry.entryTimeout = timeout
        entry.attributesTimeout = timeout
        return entry
    }

    private func status(_ node: NodeID) throws(Errno) -> FileStatus {
        let path = try path(node)
        return try FileDescriptor.currentDirectory.status(of: path, followSymlinks: path.hasPrefix("/proc/"))
    }

    private func attributes(_ node: NodeID) throws(Errno) -> Attributes { Attributes(try status(node)) }

    // MARK: Nodes

    override func lookup(_ request: Request, parent: NodeID, name: Name, reply: consuming EntryReply) {
        note("lookup")
        if let unansweredName, String(cString: name.pointer) == unansweredName { return }
        if let heldName, String(cString: name.pointer) == heldName {
            held.add(1, ordering: .relaxed)
            waitUntil(seconds: 20) { released.load(ordering: .relaxed) }
            held.subtract(1, ordering: .relaxed)
        }
        do throws(Errno) {
            reply.entry(try entry(try path(parent, name)))
        } catch {
            if error == .ENOENT { reply.entry(.negative(timeout: timeout)) } else { reply.error(error) }
        }
    }

    override func getattr(_ request: Request, node: NodeID, handle: HandleID?, reply: consuming AttributesReply) {
        note("getattr")
        do throws(Errno) {
            reply.attributes(try attributes(node), timeout: timeout)
        } catch {
            reply.error(error)
        }
    }

    override func setattr(
        _ request: Request, node: NodeID, changes: AttributeChanges, reply: consuming AttributesReply
    ) {
        note("setattr")
        if changes.asksForNothing { emptyChanges.add(1, ordering: .relaxed) }
        do throws(Errno) {
            let path = try path(node)
            if let mode = changes.mode, chmod(path, mode & 0o7777) < 0 { throw .current }
            if let size = changes.size, truncate(path, Int(size)) < 0 { throw .current }
            if changes.asksForNothing {
                let mode = try attributes(node).mode
                if chmod(path, mode & 0o1777) < 0 { throw .current }
            }
            reply.attributes(try attributes(node), timeout: timeout)
        } catch {
            reply.error(error)
        }
    }

    override func statx(
        _ request: Request, node: NodeID, handle: HandleID?, reply: consuming StatusExtendedReply
    ) {
        note("statx")
        do throws(Errno) {
            let status = try status(node)
            reply.status(Attributes(status), birthTime: status.birthTime)
        } catch {
            reply.error(error)
        }
    }

    override func readlink(_ request: Request, node: NodeID, reply: consuming LinkTargetReply) {
        do throws(Errno) {
            let target = try FileDescriptor.currentDirectory.readLink(try path(node))
            answer(reply, target)
        } catch {
            reply.error(error)
        }
    }

    private func answer(_ reply: consuming LinkTargetReply, _ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        reply.target(UnsafeRawBufferPointer(copy))
    }

    override func statfs(_ request: Request, node: NodeID, reply: consuming FileSystemStatusReply) {
        do throws(Errno) {
            reply.status(try FileSystemStatus(path: root))
        } catch {
            reply.error(error)
        }
    }

    // MARK: Names

    override func mkdir(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, reply: consuming EntryReply
    ) {
        do throws(Errno) {
            let path = try path(parent, name)
            try FileDescriptor.currentDirectory.makeDirectory(path, mode: mode)
            reply.entry(try entry(path))
        } catch {
            reply.error(error)
        }
    }

    override func symlink(
        _ request: Request, parent: NodeID, name: Name, target: Name, reply: consuming EntryReply
    ) {
        do throws(Errno) {
            let path = try path(parent, name)
            try FileDescriptor.currentDirectory.makeSymbolicLink(path, to: target.pointer)
            reply.entry(try entry(path))
        } catch {
            reply.error(error)
        }
    }

    override func unlink(_ request: Request, parent: NodeID, name: Name, reply: consuming StatusReply) {
        do throws(Errno) {
            try FileDescriptor.currentDirectory.unlink(try path(parent, name))
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    // MARK: Files

    private func open(_ file: consuming FileDescriptor) -> (HandleID, BackingID?) {
        var backing: BackingID?
        if usesPassthrough { backing = try? session?.registerBacking(file) }
        let open = OpenFile(file, backing)
        return (HandleID(rawValue: UInt64(UInt(bitPattern: Unmanaged.passRetained(open).toOpaque()))), backing)
    }

    private func openFile(_ handle: HandleID) throws(Errno) -> OpenFile {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(handle.rawValue)) else { throw .EBADF }
        return Unmanaged<OpenFile>.fromOpaque(pointer).takeUnretainedValue()
    }

    override func open(
        _ request: Request, node: NodeID, flags: OpenFlags, kernelFlags: OpenRequestFlags, reply: consuming OpenReply
    ) {
        note("open")
        do throws(Errno) {
            let (handle, backing) = open(try FileDescriptor.open(try path(node), flags))
            reply.opened(handle, flags: .keepCache, backing: backing)
        } catch {
            reply.error(error)
        }
    }

    override func create(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, flags: OpenFlags,
        kernelFlags: OpenRequestFlags, reply: consuming CreateReply
    ) {
        note("create")
        do throws(Errno) {
            let path = try path(parent, name)
            let (handle, backing) = open(try FileDescriptor.open(path, flags.union(.create), mode: mode))
            reply.created(try entry(path), handle, backing: backing)
        } catch {
            reply.error(error)
        }
    }

    override func tmpfile(
        _ request: Request, parent: NodeID, mode: UInt32, flags: OpenFlags, kernelFlags: OpenRequestFlags,
        reply: consuming CreateReply
    ) {
        note("tmpfile")
        do throws(Errno) {
            let file = try FileDescriptor.open(try path(parent), [.readWrite, .temporaryFile], mode: mode)
            let path = "/proc/self/fd/\(file.rawValue)"
            let (handle, backing) = open(file)
            reply.created(try entry(path), handle, backing: backing)
        } catch {
            reply.error(error)
        }
    }

    override func read(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, size: Int, reply: consuming DataReply
    ) {
        note("read")
        do throws(Errno) {
            let open = try openFile(handle)
            reply.data(from: open.file, offset: offset, count: size)
        } catch {
            reply.error(error)
        }
    }

    override func write(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, data: UnsafeRawBufferPointer,
        flags: WriteFlags, reply: consuming WriteReply
    ) {
        note("write")
        do throws(Errno) {
            reply.written(try openFile(handle).file.write(data, at: offset))
        } catch {
            reply.error(error)
        }
    }

    override func release(_ request: Request, node: NodeID, handle: HandleID, reply: consuming StatusReply) {
        note("release")
        if let pointer = UnsafeRawPointer(bitPattern: UInt(handle.rawValue)) {
            let open = Unmanaged<OpenFile>.fromOpaque(pointer).takeRetainedValue()
            if let backing = open.backing { session?.closeBacking(backing) }
        }
        reply.ok()
    }

    // MARK: Directories

    override func readdir(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, into buffer: inout DirectoryBuffer,
        reply: consuming DirectoryReply
    ) {
        note("readdir")
        fill(node, offset, plus: false, &buffer, reply)
    }

    override func readdirplus(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, into buffer: inout DirectoryBuffer,
        reply: consuming DirectoryReply
    ) {
        note("readdirplus")
        fill(node, offset, plus: true, &buffer, reply)
    }

    private func fill(
        _ node: NodeID, _ offset: Int64, plus: Bool, _ buffer: inout DirectoryBuffer,
        _ reply: consuming DirectoryReply
    ) {
        do throws(Errno) {
            let path = try path(node)
            let names = try FileDescriptor.open(path, .directory).sortedEntryNames()
            for (index, bytes) in names.enumerated().dropFirst(Int(offset)) {
                let child = try entry(path + "/" + String(decoding: bytes.dropLast().map(UInt8.init), as: UTF8.self))
                let fits = bytes.withUnsafeBufferPointer { pointer in
                    guard let address = pointer.baseAddress else { return true }
                    let name = Name(address)
                    let next = Int64(index + 1)
                    return plus
                        ? buffer.append(
                            name: name, entry: child, inode: child.attributes.inode, type: child.attributes.type,
                            nextOffset: next)
                        : buffer.append(
                            name: name, inode: child.attributes.inode, type: child.attributes.type, nextOffset: next)
                }
                if !fits { break }
            }
            reply.entries(buffer)
        } catch {
            reply.error(error)
        }
    }

    // MARK: Extended attributes

    override func setxattr(
        _ request: Request, node: NodeID, name: Name, value: UnsafeRawBufferPointer, flags: Int32,
        killSetGroupID: Bool, reply: consuming StatusReply
    ) {
        do throws(Errno) {
            try FileDescriptor.open(try path(node)).setAttribute(name.pointer, value)
            reply.ok()
        } catch {
            reply.error(error)
        }
    }

    override func getxattr(
        _ request: Request, node: NodeID, name: Name, size: Int, reply: consuming XattrReply
    ) {
        do throws(Errno) {
            guard let value = try FileDescriptor.open(try path(node)).attribute(name.pointer) else { throw .ENODATA }
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count, alignment: 1)
            defer { copy.deallocate() }
            copy.copyBytes(from: value)
            reply.value(UnsafeRawBufferPointer(copy), requested: size)
        } catch {
            reply.error(error)
        }
    }
}
