internal import FUSE
internal import Linux
internal import Synchronization

/// A descriptor that several requests may use at once; closed when the last lets go.
final class SharedDescriptor: Sendable {
    let value: FileDescriptor
    let canWrite: Bool

    init(_ value: consuming FileDescriptor, canWrite: Bool) {
        self.value = value
        self.canWrite = canWrite
    }
}

/// What all opens of a node have in common. Guarded by the node's lock.
final class OpenFile: @unchecked Sendable {
    /// Open files of the kernel's that have not been released.
    var count = 0
    /// What the kernel reads and writes by itself. While there are opens they all must use the same one.
    var backing: BackingID?
    /// The open object: absent where the kernel has a backing file, unless the object has no name any more.
    var descriptor: SharedDescriptor?
    /// The backing file or the descriptor is that of a lower layer.
    var isLower = false
    /// Of a file without a name: what has its attributes, where that is another object than the one that has its data.
    var metadata: SharedDescriptor?
    /// Of a superseded node: the one that has the upper file. Counts as looked up as long as it is here.
    var successor: Node?
    /// The last name has been removed. A node can lose its name while its file does not: see `Union.separateFromReaders`.
    var isUnlinked = false
    /// The backing file was opened for writing, so that nobody can execute the upper file while it is registered.
    var isWritable = false
    /// Among the idle files of `Backings`.
    var isQueued = false
    /// What was known of anything but a regular file when its last name was removed.
    var remains: FileStatus?
    /// Of a symbolic link without a name: where it leads.
    var target: [UInt8]?

    /// As it is now, to be looked at without the node's lock.
    func copy() -> OpenFile {
        let copy = OpenFile()
        (copy.count, copy.isUnlinked, copy.isLower) = (count, isUnlinked, isLower)
        (copy.descriptor, copy.metadata, copy.successor, copy.remains) = (descriptor, metadata, successor, remains)
        return copy
    }

    /// What is to be asked about attributes.
    var attributeSource: SharedDescriptor? { metadata ?? descriptor }
}

/// Registers backing files with the kernel, and remembers those that are not open at the moment: most files that are
/// opened are opened again soon, and then cost no system call.
final class Backings: @unchecked Sendable {
    /// Files kept registered that nobody has open.
    private static let idleLimit = 4096

    private unowned let session: Session
    /// Cleared where the kernel has refused for a reason that will not go away.
    private let isAvailable: Atomic<Bool>
    /// Nodes with an idle backing file, in the order in which they became idle; guarded by `lock`. A node may be here
    /// although its file is open again or closed.
    private var idle: [Node?] = Array(repeating: nil, count: idleLimit)
    private var nextIdle = 0
    private let lock = Lock()

    init(session: Session, isAvailable: Bool) {
        self.session = session
        self.isAvailable = Atomic(isAvailable)
    }

    /// Nil where the kernel cannot read and write the file by itself.
    func register(_ file: borrowing FileDescriptor) -> BackingID? {
        guard isAvailable.load(ordering: .relaxed) else { return nil }
        do throws(Errno) {
            return try session.registerBacking(file)
        } catch {
            if error == .EPERM || error == .ENOTTY || error == .EOPNOTSUPP || error == .ELOOP {
                isAvailable.store(false, ordering: .relaxed)
            }
            return nil
        }
    }

    func close(_ id: BackingID) { session.closeBacking(id) }

    /// Hands the whole of a file to the kernel's cache; where that fails the kernel reads it when it wants it.
    func store(_ file: borrowing FileDescriptor, size: Int, in node: Node) {
        try? session.store(file, size: size, in: node.id)
    }

    /// A node's backing file is not open any more. Returns the node whose turn it is to let its file go; no lock may be
    /// held while it does.
    func becameIdle(_ node: Node) -> Node? {
        lock.with {
            let oldest = idle[nextIdle]
            idle[nextIdle] = node
            nextIdle = (nextIdle + 1) % Self.idleLimit
            return oldest
        }
    }
}
