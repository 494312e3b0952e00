import Glibc

/// POSIX access control lists: from the text that archives hold to the attribute that the kernel takes
/// (`include/uapi/linux/posix_acl_xattr.h`).
package enum AccessList {
    private struct Entry {
        var tag: UInt16
        var permissions: UInt16
        var id: UInt32
    }

    private static let noID = UInt32.max

    /// Whether an attribute is an access control list, with which a mode is set as well.
    package static func isAccessList(_ name: [UInt8]) -> Bool {
        name.elementsEqual("system.posix_acl_access".utf8) || name.elementsEqual("system.posix_acl_default".utf8)
    }

    /// The attribute's value; nil for text that is no access control list or names users nobody knows.
    ///
    /// Entries are `tag:qualifier:permissions[:id]`, separated by commas or line ends; acl(5), "long text form", and
    /// star's numbers at the end.
    package static func attribute(parsing text: String) -> [UInt8]? {
        var entries: [Entry] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == "\n" }) {
            let line = part.prefix { $0 != "#" }.filter { !$0.isWhitespace }
            if line.isEmpty { continue }
            guard let entry = entry(line) else { return nil }
            entries.append(entry)
        }
        if entries.isEmpty { return nil }
        // The kernel wants them by tag.
        entries.sort { ($0.tag, $0.id) < ($1.tag, $1.id) }
        var value: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            withUnsafeBytes(of: entry.tag.littleEndian) { value.append(contentsOf: $0) }
            withUnsafeBytes(of: entry.permissions.littleEndian) { value.append(contentsOf: $0) }
            withUnsafeBytes(of: entry.id.littleEndian) { value.append(contentsOf: $0) }
        }
        return value
    }

    private static func entry(_ line: String) -> Entry? {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 3, let permissions = permissions(fields[2]) else {
            // `mask::rwx` may also be written `mask:rwx`.
            guard fields.count == 2, let permissions = permissions(fields[1]) else { return nil }
            switch fields[0] {
            case "mask", "m": return Entry(tag: 0x10, permissions: permissions, id: noID)
            case "other", "o": return Entry(tag: 0x20, permissions: permissions, id: noID)
            default: return nil
            }
        }
        let qualifier = fields[1]
        let number = fields.count > 3 ? UInt32(fields[3]) : nil
        switch fields[0] {
        case "user", "u":
            if qualifier.isEmpty { return Entry(tag: 0x01, permissions: permissions, id: noID) }
            guard let id = number ?? UInt32(qualifier) ?? userID(qualifier) else { return nil }
            return Entry(tag: 0x02, permissions: permissions, id: id)
        case "group", "g":
            if qualifier.isEmpty { return Entry(tag: 0x04, permissions: permissions, id: noID) }
            guard let id = number ?? UInt32(qualifier) ?? groupID(qualifier) else { return nil }
            return Entry(tag: 0x08, permissions: permissions, id: id)
        case "mask", "m": return Entry(tag: 0x10, permissions: permissions, id: noID)
        case "other", "o": return Entry(tag: 0x20, permissions: permissions, id: noID)
        default: return nil
        }
    }

    private static func permissions(_ text: String) -> UInt16? {
        var bits: UInt16 = 0
        for character in text {
            switch character {
            case "r": bits |= 4
            case "w": bits |= 2
            case "x": bits |= 1
            case "-": break
            default: return nil
            }
        }
        return bits
    }

    private static func userID(_ name: String) -> UInt32? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 4096)
        return getpwnam_r(name, &entry, &text, text.count, &found) == 0 && found != nil ? entry.pw_uid : nil
    }

    private static func groupID(_ name: String) -> UInt32? {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var text = [CChar](repeating: 0, count: 16384)
        return getgrnam_r(name, &entry, &text, text.count, &found) == 0 && found != nil ? entry.gr_gid : nil
    }
}
