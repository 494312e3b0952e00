import Glibc
import Linux
import TestSupport

/// What an operation did, as far as a program can see it.
struct Outcome: Equatable, CustomStringConvertible {
    /// 0 for success.
    var error: Int32
    var value: String

    var description: String {
        error == 0 ? "success" + (value.isEmpty ? "" : " (\(value))") : "error \(error), \(Errno(rawValue: error))"
    }
}

/// Carries out operations in one tree, and keeps the files that they leave open.
final class Player {
    /// Modification times from this second on are "during the test", and alike.
    static let recent: Int64 = 1_500_000_000

    let area: Area
    var files: [Int: OpenFile] = [:]
    var directories: [Int: OpenFile] = [:]

    final class OpenFile {
        let file: FileDescriptor
        let canWrite: Bool
        /// What the file was when it was opened, for those that may go on seeing it.
        var contents = ""
        var status = ""

        init(_ file: consuming FileDescriptor, canWrite: Bool) {
            self.file = file
            self.canWrite = canWrite
        }
    }

    init(_ area: Area) { self.area = area }

    /// Closes everything, so that the tree can be unmounted.
    func finish() {
        files = [:]
        directories = [:]
    }

    func play(_ operation: Operation) -> Outcome {
        do {
            if operation.user == 0 { return Outcome(error: 0, value: try perform(operation)) }
            return try asUser(operation.user) { Outcome(error: 0, value: try perform(operation)) }
        } catch let error as Errno {
            return Outcome(error: error.rawValue, value: "")
        } catch {
            return Outcome(error: -1, value: "\(error)")
        }
    }

    private func perform(_ operation: Operation) throws -> String {
        switch operation.verb {
        case .create, .write, .append, .truncate, .fallocate, .copy, .mapwrite, .read, .map, .tmpfile:
            return try performOnData(operation)
        case .open, .close, .fread, .fwrite, .ftruncate, .fallocateslot, .fmap, .fstat, .fsync, .flock, .flink, .fchmod,
            .fchown, .futimens, .fsetxattr, .fgetxattr:
            return try performOnSlot(operation)
        case .opendir, .relist, .closedir: return try performOnDirectory(operation)
        case .chmod, .chown, .utimens, .setxattr, .getxattr, .removexattr, .listxattr, .setacl:
            return try performOnAttributes(operation)
        case .stat: return describe(try area.status(operation.text(0)))
        case .readlink: return try area.target(operation.text(0))
        case .access:
            let user = operation.user
            let path = area.path.appending(operation.text(0))
            return mayAccess(path, Int32(operation.number(1))) ? "user \(user) may" : "user \(user) may not"
        case .list: return try list(try area.open(operation.text(0), [.directory]))
        case .drop:
            // Takes every entry of this mount that nobody uses out of the kernel's caches.
            try Mount.mount(source: "none", target: area.path, type: "none", flags: .remount, options: nil)
        case .closeall: finish()
        case .remount, .crash: break
        default: try performOnNames(operation)
        }
        return ""
    }

    private func performOnNames(_ operation: Operation) throws {
        let (first, second) = (operation.text(0), operation.text(1))
        switch operation.verb {
        case .mkdir: try area.root.makeDirectory(first, mode: operation.mode(1))
        case .rmdir: try area.removeDirectory(first)
        case .unlink: try area.remove(first)
        case .rename: try rename(first, second, RenameFlags(word: operation.text(2)))
        case .link: try area.link(second, to: first)
        case .symlink: try area.symlink(first, to: second)
        case .rmtree: try area.root.removeTree(first)
        case .whiteout: try area.whiteout(first)
        case .opaque: try area.markOpaque(first)
        case .mknod:
            let types: [String: FileType] = [
                "fifo": .fifo, "socket": .socket, "char": .characterDevice, "block": .blockDevice, "file": .regular,
            ]
            let type = types[second] ?? .fifo
            let isDevice = type == .characterDevice || type == .blockDevice
            let device = isDevice ? DeviceNumber(major: 1, minor: 5).rawValue : 0
            try area.root.makeNode(first, mode: type.rawValue | operation.mode(2), device: device)
        default: throw SetupFailure("\(operation) is not about names")
        }
    }

    /// The kernel's overlay may change the times of a directory in which a rename then fails with ENOTEMPTY. That is
    /// not worth following, so both get the same times.
    private func rename(_ from: String, _ to: String, _ flags: RenameFlags) throws {
        do {
            try area.rename(from, to, flags)
        } catch {
            if error == .ENOTEMPTY {
                let time = TimeSpec(seconds: 1_200_000_000)
                for path in [from, to] {
                    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
                    try area.root.setTimes(of: parent, access: time, modification: time)
                }
            }
            throw error
        }
    }

    private func performOnAttributes(_ operation: Operation) throws -> String {
        let path = operation.text(0)
        switch operation.verb {
        case .chmod: try area.setMode(path, operation.mode(1))
        case .chown: try area.setOwner(path, uid: UInt32(operation.number(1)), gid: UInt32(operation.number(2)))
        case .utimens:
            try area.root.setTimes(of: path, access: time(operation.number(1)), modification: time(operation.number(1)))
        case .setxattr:
            try area.root.setAttribute(operation.text(1), of: path, value(operation, 2), mode: write(operation.text(3)))
        case .getxattr: return try describe(area.root.attribute(operation.text(1), of: path))
        case .removexattr: try area.open(path, [.path, .noFollow]).removeAttribute(operation.text(1))
        case .listxattr: return try attributeNames(area.open(path, [.path, .noFollow]))
        case .setacl:
            try area.root.setAttribute(
                "system.posix_acl_" + operation.text(1), of: path, AccessList.bytes(operation.text(2)))
        default: throw SetupFailure("\(operation) is not about attributes")
        }
        return ""
    }

    private func attributeNames(_ file: borrowing FileDescriptor) throws -> String {
        try file.attributeNames().map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }.sorted().joined(separator: " ")
    }

    func time(_ seconds: Int) -> TimeSpec {
        TimeSpec(seconds: Int64(seconds), nanoseconds: Int64(seconds) % 1_000_000_000)
    }

    func write(_ word: String) -> AttributeWrite {
        switch word {
        case "create": .create
        case "replace": .replace
        default: .createOrReplace
        }
    }

    /// The value of an attribute, as long as an argument says; the kernel takes capabilities only in their own form.
    func value(_ operation: Operation, _ index: Int) -> [UInt8] {
        if operation.text(1) == "security.capability" {
            return [0, 0, 0, 2, UInt8(truncatingIfNeeded: operation.number(index))] + [UInt8](repeating: 0, count: 15)
        }
        return Array(text(operation, operation.number(index)).utf8)
    }

    /// Text that no other operation writes, so that nothing can stand in for anything else.
    func text(_ operation: Operation, _ length: Int) -> String {
        var dice = Randomness(seed: hash(Array(operation.description.utf8)))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length + 8)
        while bytes.count < length {
            var word = dice.next()
            for _ in 0..<8 {
                bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: word & 63))
                word >>= 8
            }
        }
        return String(decoding: bytes.prefix(length), as: UTF8.self)
    }

    func describe(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "none" }
        return "\(bytes.count) bytes, hash \(String(hash(bytes), radix: 16))"
    }

    func describe(_ status: FileStatus) -> String {
        var parts = ["mode \(String(status.mode, radix: 8))", "owner \(status.uid):\(status.gid)"]
        if !status.isDirectory { parts += ["size \(status.size)", "links \(status.linkCount)"] }
        if status.rawDevice != 0 { parts.append("device \(status.rawDevice)") }
        let time = status.modificationTime
        parts.append(time.seconds < Self.recent ? "mtime \(time.seconds).\(time.nanoseconds)" : "mtime recent")
        return parts.joined(separator: ", ")
    }
}

/// POSIX access control lists in the form that the extended attributes have: a version, then entries of a tag, rights
/// and an identifier.
enum AccessList {
    static let kinds = ["user", "group", "narrow", "plain"]

    static func bytes(_ kind: String) -> [UInt8] {
        let (owner, user, owningGroup, group, mask, other): (UInt16, UInt16, UInt16, UInt16, UInt16, UInt16) =
            (0x01, 0x02, 0x04, 0x08, 0x10, 0x20)
        switch kind {
        case "user": return pack([(owner, 6, -1), (user, 7, 1), (owningGroup, 5, -1), (mask, 7, -1), (other, 4, -1)])
        case "group":
            return pack([(owner, 7, -1), (owningGroup, 7, -1), (group, 6, 2), (mask, 5, -1), (other, 0, -1)])
        case "narrow":
            return pack([
                (owner, 7, -1), (user, 6, 1), (user, 4, 2), (owningGroup, 6, -1), (group, 7, 1), (mask, 4, -1),
                (other, 1, -1),
            ])
        default: return pack([(owner, 6, -1), (owningGroup, 4, -1), (other, 4, -1)])
        }
    }

    private static func pack(_ entries: [(tag: UInt16, rights: UInt16, id: Int32)]) -> [UInt8] {
        var bytes: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            for value in [entry.tag, entry.rights] { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
            withUnsafeBytes(of: entry.id.littleEndian) { bytes += $0 }
        }
        return bytes
    }
}
