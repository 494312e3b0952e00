import Glibc
import Linux

/// One step of a differential run, complete in itself, so that a list of them can be replayed and shortened.
enum Operation: Sendable, CustomStringConvertible {
    case open(slot: Int, path: String, flags: OpenFlags)
    case closeSlot(Int)
    case writeSlot(Int, offset: Int, length: Int)
    case readSlot(Int)
    case truncateSlot(Int, size: Int)
    case changeModeSlot(Int, mode: UInt32)
    case statusSlot(Int)
    case create(path: String, flags: OpenFlags, mode: UInt32)
    case write(path: String, offset: Int, length: Int)
    case append(path: String, length: Int)
    case truncate(path: String, size: Int)
    case read(path: String)
    case makeDirectory(path: String, mode: UInt32)
    case removeDirectory(path: String)
    case unlink(path: String)
    case rename(from: String, to: String, flags: RenameFlags)
    case link(path: String, to: String)
    case symbolicLink(path: String, target: String)
    case readLink(path: String)
    case changeMode(path: String, mode: UInt32)
    case changeOwner(path: String, uid: UInt32, gid: UInt32)
    case setTimes(path: String, seconds: Int64)
    case setAttribute(path: String, name: String, length: Int, mode: AttributeWrite)
    case removeAttribute(path: String, name: String)
    case makeNode(path: String, type: FileType)
    case temporaryFile(directory: String, path: String)
    case copyRange(from: String, to: String)
    case list(path: String)
    case status(path: String)
    case removeTree(path: String)
    case dropCaches
    /// Both mounts are taken away and made again, and their trees compared.
    case remount

    var description: String {
        switch self {
        case .open(let slot, let path, let flags): "open \(path) with flags \(flags.rawValue) as #\(slot)"
        case .closeSlot(let slot): "close #\(slot)"
        case .writeSlot(let slot, let offset, let length): "write #\(slot): \(length) bytes at \(offset)"
        case .readSlot(let slot): "read #\(slot)"
        case .truncateSlot(let slot, let size): "truncate #\(slot) to \(size)"
        case .changeModeSlot(let slot, let mode): "chmod #\(slot) \(String(mode, radix: 8))"
        case .statusSlot(let slot): "stat #\(slot)"
        case .create(let path, let flags, let mode): "create \(path) \(flags.rawValue) \(String(mode, radix: 8))"
        case .write(let path, let offset, let length): "write \(path): \(length) bytes at \(offset)"
        case .append(let path, let length): "append \(path): \(length) bytes"
        case .truncate(let path, let size): "truncate \(path) to \(size)"
        case .read(let path): "read \(path)"
        case .makeDirectory(let path, let mode): "mkdir \(path) \(String(mode, radix: 8))"
        case .removeDirectory(let path): "rmdir \(path)"
        case .unlink(let path): "unlink \(path)"
        case .rename(let from, let to, let flags): "rename \(from) \(to) flags \(flags.rawValue)"
        case .link(let path, let to): "link \(to) -> new name \(path)"
        case .symbolicLink(let path, let target): "symlink \(path) to \(target)"
        case .readLink(let path): "readlink \(path)"
        case .changeMode(let path, let mode): "chmod \(path) \(String(mode, radix: 8))"
        case .changeOwner(let path, let uid, let gid): "chown \(path) \(uid):\(gid)"
        case .setTimes(let path, let seconds): "utimens \(path) \(seconds)"
        case .setAttribute(let path, let name, let length, let mode): "setxattr \(path) \(name) \(length) bytes \(mode)"
        case .removeAttribute(let path, let name): "removexattr \(path) \(name)"
        case .makeNode(let path, let type): "mknod \(path) \(type)"
        case .temporaryFile(let directory, let path): "O_TMPFILE in \(directory), linked as \(path)"
        case .copyRange(let from, let to): "copy_file_range \(from) to \(to)"
        case .list(let path): "list \(path)"
        case .status(let path): "stat \(path)"
        case .removeTree(let path): "rm -r \(path)"
        case .dropCaches: "drop caches"
        case .remount: "mount anew"
        }
    }
}
