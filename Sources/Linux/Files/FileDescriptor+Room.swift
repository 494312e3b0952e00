internal import Glibc

extension FileDescriptor {
    /// Whether so many bytes can be written to a file in this directory, tried with a file that has no name. True where
    /// that cannot be tried for another reason than want of space.
    public func hasRoom(for byteCount: Int) -> Bool {
        do throws(Errno) {
            let file = try open(".", [.writeOnly, .temporaryFile], mode: 0o600)
            try file.writeAll([UInt8](repeating: 1, count: max(1, byteCount)))
            return true
        } catch {
            return error != .ENOSPC && error != .EDQUOT
        }
    }
}

/// What to say of extended attributes that a file system does not take. Most keep them in one block of a file or in its
/// inode, and say ENOSPC where they do not fit, as they do of a full disk.
public enum AttributeSize {
    /// Bytes that the kernel takes as one value, `XATTR_SIZE_MAX`.
    public static let valueLimit = 1 << 16
    /// Bytes that the kernel takes as one name, `XATTR_NAME_MAX`.
    public static let nameLimit = 255

    /// `the extended attribute NAME of N bytes does not fit into the store's file system`, of the largest one.
    public static func explain(_ attributes: [(name: [UInt8], size: Int)]) -> String {
        guard let largest = attributes.max(by: { $0.size < $1.size }) else { return "\(Errno.ENOSPC)" }
        let name = String(decoding: largest.name.prefix(nameLimit), as: UTF8.self)
        let total = attributes.reduce(0) { $0 + $1.size }
        let others = attributes.count == 1 ? "" : ", of \(total) bytes in \(attributes.count) attributes,"
        let what = "the extended attribute \(name) of \(largest.size) bytes\(others)"
        return what + " does not fit into the store's file system"
    }

    /// What can be done about it.
    public static let remedy = "leave it out, or keep the store on a file system that takes larger ones, such as XFS"
}
