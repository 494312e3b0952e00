public import Linux

/// What a mount does: one method per operation of the protocol, called by the worker threads of a `Session`,
/// several at a time.
///
/// Each method answers through its reply before it returns. What a method leaves as it is here is answered with
/// ENOSYS, from which the kernel concludes, for most operations, that it need not ask again. Names and
/// data point into the request and are gone once the method has returned. The reply's methods consume it, so the
/// compiler sees to it that a request is not answered twice; one that is not answered at all gets EIO.
///
/// The kernel has checked that names are not longer than 1024 bytes and without "/"; with the mount option
/// `default_permissions` it has checked permissions too.
open class FileSystem {
    /// Does nothing.
    public init() {}

    /// The session is agreed on; called before any other operation, on the thread that started the session.
    open func initialize(_ session: Session) {}
    /// The session is over; nothing is called any more.
    open func destroy() {}

    // MARK: Nodes

    /// Finds `name` in the directory `parent` and counts one lookup of the node. For a name that is not there:
    /// `Entry.negative`, which the kernel remembers, or ENOENT, which it does not.
    open func lookup(_ request: Request, parent: NodeID, name: Name, reply: consuming EntryReply) {
        reply.error(.ENOSYS)
    }

    /// The kernel gives back `count` lookups of the node. Not answered.
    open func forget(_ node: NodeID, count: UInt64) {}

    /// Attributes of the node, asked through an open file if `handle` is given.
    open func getattr(_ request: Request, node: NodeID, handle: HandleID?, reply: consuming AttributesReply) {
        reply.error(.ENOSYS)
    }

    /// Changes attributes; the answer is what they are afterwards.
    open func setattr(
        _ request: Request, node: NodeID, changes: AttributeChanges, reply: consuming AttributesReply
    ) {
        reply.error(.ENOSYS)
    }

    /// statx(2) for what getattr cannot say: the time of birth. ENOSYS makes the kernel do without.
    open func statx(
        _ request: Request, node: NodeID, handle: HandleID?, reply: consuming StatusExtendedReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Target of a symbolic link.
    open func readlink(_ request: Request, node: NodeID, reply: consuming LinkTargetReply) { reply.error(.ENOSYS) }

    /// access(2); not asked with `default_permissions`.
    open func access(_ request: Request, node: NodeID, mask: Int32, reply: consuming StatusReply) {
        reply.error(.ENOSYS)
    }

    // MARK: Names

    /// Makes a file of any kind but directory and link. `device` is packed as `makedev` packs it.
    open func mknod(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, device: UInt64, reply: consuming EntryReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Makes a directory.
    open func mkdir(_ request: Request, parent: NodeID, name: Name, mode: UInt32, reply: consuming EntryReply) {
        reply.error(.ENOSYS)
    }

    /// Makes a symbolic link that says `target`.
    open func symlink(_ request: Request, parent: NodeID, name: Name, target: Name, reply: consuming EntryReply) {
        reply.error(.ENOSYS)
    }

    /// Gives `node` a further name; counts one lookup of it.
    open func link(_ request: Request, node: NodeID, parent: NodeID, name: Name, reply: consuming EntryReply) {
        reply.error(.ENOSYS)
    }

    /// Removes a name that is not a directory's.
    open func unlink(_ request: Request, parent: NodeID, name: Name, reply: consuming StatusReply) {
        reply.error(.ENOSYS)
    }

    /// Removes an empty directory.
    open func rmdir(_ request: Request, parent: NodeID, name: Name, reply: consuming StatusReply) {
        reply.error(.ENOSYS)
    }

    /// Renames; `flags` are those of renameat2(2).
    open func rename(
        _ request: Request, parent: NodeID, name: Name, newParent: NodeID, newName: Name, flags: UInt32,
        reply: consuming StatusReply
    ) {
        reply.error(.ENOSYS)
    }

    // MARK: Files

    /// Opens a file. `flags` are those of open(2), without `O_CREAT`, `O_EXCL`, `O_NOCTTY`.
    open func open(
        _ request: Request, node: NodeID, flags: OpenFlags, kernelFlags: OpenRequestFlags, reply: consuming OpenReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Makes a file, or opens the one that is there, unless `flags` say `O_EXCL`.
    open func create(
        _ request: Request, parent: NodeID, name: Name, mode: UInt32, flags: OpenFlags,
        kernelFlags: OpenRequestFlags, reply: consuming CreateReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Makes a file without a name in the file system of `parent` (`O_TMPFILE`).
    open func tmpfile(
        _ request: Request, parent: NodeID, mode: UInt32, flags: OpenFlags, kernelFlags: OpenRequestFlags,
        reply: consuming CreateReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Reads `size` bytes; fewer mean the end of the file, unless it was opened for direct I/O.
    open func read(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, size: Int, reply: consuming DataReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Writes all of `data` or says why not.
    open func write(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, data: UnsafeRawBufferPointer,
        flags: WriteFlags, reply: consuming WriteReply
    ) {
        reply.error(.ENOSYS)
    }

    /// One of the descriptors of an open file is being closed.
    open func flush(_ request: Request, node: NodeID, handle: HandleID, reply: consuming StatusReply) {
        reply.error(.ENOSYS)
    }

    /// Nobody has the file open any more. An error reaches nobody.
    open func release(_ request: Request, node: NodeID, handle: HandleID, reply: consuming StatusReply) {
        reply.ok()
    }

    /// Makes the file durable; its data alone with `dataOnly`.
    open func fsync(
        _ request: Request, node: NodeID, handle: HandleID, dataOnly: Bool, reply: consuming StatusReply
    ) {
        reply.error(.ENOSYS)
    }

    /// fallocate(2) with its `mode`.
    open func fallocate(
        _ request: Request, node: NodeID, handle: HandleID, mode: Int32, offset: Int64, length: Int64,
        reply: consuming StatusReply
    ) {
        reply.error(.ENOSYS)
    }

    /// lseek(2) with `SEEK_DATA` or `SEEK_HOLE`; the kernel answers the other ways itself.
    open func lseek(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, whence: Int32, reply: consuming SeekReply
    ) {
        reply.error(.ENOSYS)
    }

    /// copy_file_range(2) within the mount.
    open func copyFileRange(
        _ request: Request, from: NodeID, fromHandle: HandleID, fromOffset: Int64, to: NodeID, toHandle: HandleID,
        toOffset: Int64, length: Int, reply: consuming WriteReply
    ) {
        reply.error(.ENOSYS)
    }

    /// ioctl(2), with the argument's bytes as the command's number declares them.
    open func ioctl(
        _ request: Request, node: NodeID, handle: HandleID, command: UInt32, input: UnsafeRawBufferPointer,
        outputSize: Int, reply: consuming IoctlReply
    ) {
        reply.error(.ENOTTY)
    }

    // MARK: Directories

    /// Opens a directory. ENOSYS means "without asking, from now on".
    open func opendir(_ request: Request, node: NodeID, flags: OpenFlags, reply: consuming OpenReply) {
        reply.error(.ENOSYS)
    }

    /// Fills `buffer` with entries from `offset` on and sends it.
    open func readdir(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, into buffer: inout DirectoryBuffer,
        reply: consuming DirectoryReply
    ) {
        reply.error(.ENOSYS)
    }

    /// As readdir, with the answer to a lookup in each entry.
    open func readdirplus(
        _ request: Request, node: NodeID, handle: HandleID, offset: Int64, into buffer: inout DirectoryBuffer,
        reply: consuming DirectoryReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Nobody has the directory open any more.
    open func releasedir(_ request: Request, node: NodeID, handle: HandleID, reply: consuming StatusReply) {
        reply.ok()
    }

    /// Makes the directory durable.
    open func fsyncdir(
        _ request: Request, node: NodeID, handle: HandleID, dataOnly: Bool, reply: consuming StatusReply
    ) {
        reply.error(.ENOSYS)
    }

    /// State of the file system.
    open func statfs(_ request: Request, node: NodeID, reply: consuming FileSystemStatusReply) {
        reply.error(.ENOSYS)
    }

    // MARK: Extended attributes

    /// Sets an attribute; `flags` are those of setxattr(2). `killSetGroupID`: an ACL is set by somebody who is not in
    /// the file's group, so that its set-group-id bit has to go.
    open func setxattr(
        _ request: Request, node: NodeID, name: Name, value: UnsafeRawBufferPointer, flags: Int32,
        killSetGroupID: Bool, reply: consuming StatusReply
    ) {
        reply.error(.ENOSYS)
    }

    /// Value of an attribute, up to `size` bytes, or its size if `size` is 0.
    open func getxattr(_ request: Request, node: NodeID, name: Name, size: Int, reply: consuming XattrReply) {
        reply.error(.ENOSYS)
    }

    /// Names of the attributes, each with a zero behind it, up to `size` bytes, or their size if `size` is 0.
    open func listxattr(_ request: Request, node: NodeID, size: Int, reply: consuming XattrReply) {
        reply.error(.ENOSYS)
    }

    /// Removes an attribute.
    open func removexattr(_ request: Request, node: NodeID, name: Name, reply: consuming StatusReply) {
        reply.error(.ENOSYS)
    }
}
