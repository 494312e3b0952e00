// What modules need again and again.
extension FileDescriptor {
    /// `/dev/null` for reading and writing.
    public static func nullDevice() throws(Errno) -> FileDescriptor { try open("/dev/null", .readWrite) }

    /// Whether there is something at a path, or that cannot be found out. No symbolic link at its end is followed.
    public func mayHave(_ path: UnsafePointer<CChar>) -> Bool { (try? statusIfPresent(of: path)) != .some(.none) }

    /// mkdirat(2), where there is no such directory. Something else of the name is as good as one to this.
    public func makeDirectoryIfMissing(_ path: UnsafePointer<CChar>, mode: UInt32) throws(Errno) {
        do throws(Errno) {
            try makeDirectory(path, mode: mode)
        } catch {
            if error != .EEXIST { throw error }
        }
    }

    /// Makes a directory and those that it is in, where they are missing.
    public func makeDirectories(_ path: String, mode: UInt32) throws(Errno) {
        do throws(Errno) {
            try makeDirectoryIfMissing(path, mode: mode)
        } catch {
            guard error == .ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
            try makeDirectories(String(path[..<slash]), mode: mode)
            // Somebody else may make it at the same time.
            try makeDirectoryIfMissing(path, mode: mode)
        }
    }

    /// Replaces a file, or makes it, durably: whoever opens it sees all of the old content or all of the new.
    ///
    /// - Parameter body: writes the content.
    public func replaceFile(
        _ path: String, mode: UInt32, _ body: (borrowing FileDescriptor) throws(Errno) -> Void
    ) throws(Errno) {
        let place = "\(path).\(RandomName.hex(digits: 16))"
        do throws(Errno) {
            let file = try open(place, [.writeOnly, .create, .exclusive], mode: mode)
            try body(file)
            try file.sync()
            try rename(place, to: self, path)
        } catch {
            try? unlink(place)
            throw error
        }
    }
}

/// Names that are not in use anywhere.
public enum RandomName {
    /// Random hexadecimal digits.
    public static func hex(digits: Int) -> String {
        var random = SystemRandomNumberGenerator()
        var text = ""
        while text.utf8.count < digits {
            let word = String(random.next(), radix: 16)
            text += String(repeating: "0", count: 16 - word.utf8.count) + word
        }
        return String(text.prefix(digits))
    }
}

extension StringProtocol {
    /// What is before and behind the first separator, as of `KEY=VALUE`; the whole text alone where there is none.
    public func parts(at separator: Character) -> [String] {
        guard let place = firstIndex(of: separator) else { return [String(self)] }
        return [String(self[..<place]), String(self[index(after: place)...])]
    }
}

/// Lets several values use one descriptor, which is closed with the last of them.
public final class SharedDescriptor: Sendable {
    public let descriptor: FileDescriptor

    /// Takes a descriptor over.
    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}

/// Names a file as long as it exists, whatever its path.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    /// A file by its numbers.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// The file whose status it is.
    public init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode) }
}
