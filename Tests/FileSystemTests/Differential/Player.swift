import Glibc
import Linux

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
    static let slotCount = 4
    /// Modification times from this second on are "during the test", and alike.
    static let recent: Int64 = 1_500_000_000

    private let area: Area
    private var slots: [OpenFile?] = Array(repeating: nil, count: slotCount)

    private final class OpenFile {
        let file: FileDescriptor
        init(_ file: consuming FileDescriptor) { self.file = file }
    }

    init(_ area: Area) { self.area = area }

    /// Closes everything, so that the tree can be unmounted.
    func finish() { slots = Array(repeating: nil, count: Self.slotCount) }

    func play(_ operation: Operation) -> Outcome {
        do {
            return Outcome(error: 0, value: try perform(operation))
        } catch let error as Errno {
            return Outcome(error: error.rawValue, value: "")
        } catch {
            return Outcome(error: -1, value: "\(error)")
        }
    }

    private func perform(_ operation: Operation) throws -> String {
        switch operation {
        case .open, .closeSlot, .writeSlot, .readSlot, .truncateSlot, .changeModeSlot, .statusSlot:
            return try performOnSlot(operation)
        case .create, .write, .append, .truncate, .read, .copyRange, .temporaryFile:
            return try performOnData(operation)
        case .changeMode, .changeOwner, .setTimes, .setAttribute, .removeAttribute:
            try performOnAttributes(operation)
        case .list(let path):
            return try area.names(path).joined(separator: " ")
        case .status(let path):
            return describe(try area.status(path))
        case .readLink(let path):
            return try area.target(path)
        case .removeTree(let path):
            try area.root.removeTree(path)
        case .remount:
            break
        case .dropCaches:
            try FileDescriptor.open("/proc/sys/vm/drop_caches", .writeOnly).writeAll("2")
        default:
            try performOnNames(operation)
        }
        return ""
    }

    private func performOnNames(_ operation: Operation) throws {
        switch operation {
        case .makeDirectory(let path, let mode): try area.root.makeDirectory(path, mode: mode)
        case .removeDirectory(let path): try area.removeDirectory(path)
        case .unlink(let path): try area.remove(path)
        case .rename(let from, let to, let flags): try rename(from, to, flags)
        case .link(let path, let existing): try area.link(path, to: existing)
        case .symbolicLink(let path, let target): try area.symlink(path, to: target)
        case .makeNode(let path, let type):
            let device = type == .characterDevice ? DeviceNumber(major: 1, minor: 5).rawValue : 0
            try area.root.makeNode(path, mode: type.rawValue | 0o644, device: device)
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

    private func performOnAttributes(_ operation: Operation) throws {
        switch operation {
        case .changeMode(let path, let mode): try area.setMode(path, mode)
        case .changeOwner(let path, let uid, let gid): try area.setOwner(path, uid: uid, gid: gid)
        case .setTimes(let path, let seconds):
            let time = TimeSpec(seconds: seconds, nanoseconds: seconds % 1_000_000_000)
            try area.root.setTimes(of: path, access: time, modification: time)
        case .setAttribute(let path, let name, let length, let mode):
            try area.root.setAttribute(name, of: path, [UInt8](repeating: 7, count: length), mode: mode)
        case .removeAttribute(let path, let name):
            try area.open(path, [.path, .noFollow]).removeAttribute(name)
        default: throw SetupFailure("\(operation) is not about attributes")
        }
    }

    private func performOnData(_ operation: Operation) throws -> String {
        switch operation {
        case .create(let path, let flags, let mode):
            try area.open(path, flags, mode: mode).writeAll("created")
        case .write(let path, let offset, let length):
            try area.open(path, [.writeOnly, .nonBlocking]).write(text(length), at: Int64(offset))
        case .append(let path, let length):
            try area.open(path, [.writeOnly, .append, .nonBlocking]).writeAll(text(length))
        case .truncate(let path, let size):
            try truncateFile(area.path.appending(path), to: size)
        case .read(let path):
            // A pipe would have us wait, and a device has no end worth reading to.
            let file = try area.open(path, .nonBlocking)
            if try !file.status().isRegular { return "not regular" }
            return describe(try file.readAll())
        case .copyRange(let from, let to):
            // The writer first: a reader that was there before a copy-up may go on seeing the file as it was then.
            let sink = try area.open(to, [.writeOnly, .nonBlocking])
            return String(try area.open(from, .nonBlocking).copyRange(from: 1, to: sink, at: 3, length: 2000))
        case .temporaryFile(let directory, let path):
            let file = try area.open(directory, [.temporaryFile, .readWrite], mode: 0o640)
            try file.writeAll("temporary")
            try file.makeLink(in: area.root, at: path)
        default: throw SetupFailure("\(operation) is not about data")
        }
        return ""
    }

    private func performOnSlot(_ operation: Operation) throws -> String {
        switch operation {
        case .open(let slot, let path, let flags):
            slots[slot] = nil
            let file = try area.open(path, flags.union(.nonBlocking))
            if try !file.status().isRegular { return "not regular" }
            slots[slot] = OpenFile(file)
        case .closeSlot(let slot): slots[slot] = nil
        case .writeSlot(let slot, let offset, let length): try slots[slot]?.file.write(text(length), at: Int64(offset))
        case .readSlot(let slot):
            if let open = slots[slot] { return describe(try open.file.bytes(at: 0, count: 1 << 16)) }
        case .truncateSlot(let slot, let size): try slots[slot]?.file.truncate(to: Int64(size))
        case .changeModeSlot(let slot, let mode): try slots[slot]?.file.setMode(mode)
        case .statusSlot(let slot):
            if let open = slots[slot] { return describe(try open.file.status()) }
        default: throw SetupFailure("\(operation) is not about an open file")
        }
        return ""
    }

    private func text(_ length: Int) -> String {
        String(repeating: "0123456789abcdef", count: length / 16) + String(repeating: "x", count: length % 16)
    }

    private func describe(_ bytes: [UInt8]) -> String { "\(bytes.count) bytes, hash \(String(hash(bytes), radix: 16))" }

    private func describe(_ status: FileStatus) -> String {
        var parts = ["mode \(String(status.mode, radix: 8))", "owner \(status.uid):\(status.gid)"]
        if !status.isDirectory { parts += ["size \(status.size)", "links \(status.linkCount)"] }
        if status.rawDevice != 0 { parts.append("device \(status.rawDevice)") }
        let time = status.modificationTime
        parts.append(time.seconds < Self.recent ? "mtime \(time.seconds).\(time.nanoseconds)" : "mtime recent")
        return parts.joined(separator: ", ")
    }
}
