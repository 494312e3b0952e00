import Linux

/// What is mounted in our mount namespace; proc(5), `/proc/self/mountinfo`.
struct MountTable: Sendable {
    /// One mount.
    struct Entry: Hashable, Sendable {
        var mountPoint: String
        /// The file system's type, such as `fuse` or `fuse.strata-fuse`.
        var type: String
        /// The file system's device number, as `MountIdentity.device`.
        var device: UInt64
        /// What is mounted, as the file system calls it.
        var source: String
    }

    /// All mounts, in the order in which they were made.
    var entries: [Entry]

    /// Reads the table; empty where `/proc` is not mounted.
    static func current() -> MountTable {
        guard let file = try? FileDescriptor.open("/proc/self/mountinfo"), let bytes = try? file.readAll() else {
            return MountTable(entries: [])
        }
        return MountTable(text: String(decoding: bytes, as: UTF8.self))
    }

    init(entries: [Entry]) { self.entries = entries }

    /// Takes the text of the table.
    init(text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            // Optional fields end with a lone hyphen; the type follows it.
            guard fields.count > 6, let hyphen = fields[6...].firstIndex(of: "-"), hyphen + 1 < fields.count else {
                return nil
            }
            let device = fields[2].split(separator: ":").compactMap { UInt32($0) }
            return Entry(
                mountPoint: Self.unescaped(fields[4]), type: String(fields[hyphen + 1]),
                device: device.count == 2 ? DeviceNumber(major: device[0], minor: device[1]).rawValue : 0,
                source: hyphen + 2 < fields.count ? Self.unescaped(fields[hyphen + 2]) : "")
        }
    }

    /// The last mount made at a path, which is the one that is seen there.
    func mount(at path: String) -> Entry? { entries.last { $0.mountPoint == path } }

    /// Mounts strictly below a path, deepest and latest first, as they have to be unmounted.
    func mounts(below path: String) -> [Entry] {
        let prefix = path.hasSuffix("/") ? path : path + "/"
        return entries.filter { $0.mountPoint.hasPrefix(prefix) }.reversed()
    }

    /// Turns `\040` and its like back into the bytes they stand for.
    private static func unescaped(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                bytes.append(digits.reduce(UInt8(0)) { $0 &* 8 &+ ($1 &- 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
