internal import CLinux
internal import Glibc

/// How setxattr(2) treats a name that exists.
public enum AttributeWrite: Int32, Sendable {
    case createOrReplace = 0
    /// EEXIST where the name exists.
    case create = 1
    /// ENODATA where the name does not exist.
    case replace = 2
}

// Extended attributes by descriptor. An `O_PATH` descriptor works too: the calls then go through `/proc/self/fd`.
// Names are bytes with their prefix, such as "trusted.overlay.opaque".
extension FileDescriptor {
    /// Size in bytes of an attribute's value; ENODATA where there is none.
    public func attributeSize(_ name: UnsafePointer<CChar>) throws(Errno) -> Int {
        try attribute(name, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    /// Reads an attribute into a buffer and returns its size; ERANGE where it does not fit.
    public func attribute(
        _ name: UnsafePointer<CChar>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let number = rawValue
        let count = clinux_fgetxattr(number, name, buffer.baseAddress, buffer.count)
        if count >= 0 { return count }
        if Errno.current != .EBADF { throw .current }
        return try withFollowedProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try check { clinux_getxattr(path, name, buffer.baseAddress, buffer.count) }
        }
    }

    /// The value of an attribute, nil where there is none.
    public func attribute(_ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            return try Self.growing { (buffer: UnsafeMutableRawBufferPointer) throws(Errno) in
                try attribute(name, into: buffer)
            }
        } catch {
            if error == .ENODATA || error == .EOPNOTSUPP { return nil }
            throw error
        }
    }

    /// Lists the names, each ended by a zero byte, into a buffer and returns their size; ERANGE where they do not fit.
    public func attributeNames(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let number = rawValue
        let list = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = clinux_flistxattr(number, list, buffer.count)
        if count >= 0 { return count }
        if Errno.current != .EBADF { throw .current }
        return try withFollowedProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try check { clinux_listxattr(path, list, buffer.count) }
        }
    }

    /// All names, each with its terminating zero. Empty where the file system keeps none.
    public func attributeNames() throws(Errno) -> [[CChar]] {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Self.growing { (buffer: UnsafeMutableRawBufferPointer) throws(Errno) in
                try attributeNames(into: buffer)
            }
        } catch {
            if error == .EOPNOTSUPP { return [] }
            throw error
        }
        return bytes.split(separator: 0).map { $0.map { CChar(bitPattern: $0) } + [0] }
    }

    /// Sets an attribute.
    public func setAttribute(
        _ name: UnsafePointer<CChar>, _ value: UnsafeRawBufferPointer, mode: AttributeWrite = .createOrReplace
    ) throws(Errno) {
        let number = rawValue
        if clinux_fsetxattr(number, name, value.baseAddress, value.count, mode.rawValue) == 0 { return }
        if Errno.current != .EBADF { throw .current }
        try withFollowedProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try checkVoid { clinux_setxattr(path, name, value.baseAddress, value.count, mode.rawValue) }
        }
    }

    /// Sets an attribute to the bytes of an array.
    public func setAttribute(
        _ name: UnsafePointer<CChar>, _ value: [UInt8], mode: AttributeWrite = .createOrReplace
    ) throws(Errno) {
        let outcome = value.withUnsafeBytes { bytes in
            Result { () throws(Errno) in try setAttribute(name, bytes, mode: mode) }
        }
        try outcome.get()
    }

    /// Removes an attribute; ENODATA where there is none.
    public func removeAttribute(_ name: UnsafePointer<CChar>) throws(Errno) {
        let number = rawValue
        if clinux_fremovexattr(number, name) == 0 { return }
        if Errno.current != .EBADF { throw .current }
        try withFollowedProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try checkVoid { clinux_removexattr(path, name) }
        }
    }

    /// Copies every attribute of `source` under the name that `newName` gives it, nil for those that are left out
    /// (names come with their terminating zero). Names that this file's system does not know are passed over when
    /// `lenient`.
    public func copyAttributes(
        of source: borrowing FileDescriptor, lenient: Bool = false, as newName: ([CChar]) -> [CChar]? = { $0 }
    ) throws(Errno) {
        for name in try source.attributeNames() {
            guard let target = newName(name), let value = try source.attribute(name) else { continue }
            do throws(Errno) {
                try setAttribute(target, value)
            } catch {
                if !lenient || (error != .EOPNOTSUPP && error != .EPERM) { throw error }
            }
        }
    }

    /// Whether this directory's file system lets this process keep `trusted.` attributes, tried with a nameless file.
    public func takesTrustedAttributes() -> Bool {
        do throws(Errno) {
            let probe = try open(".", [.temporaryFile, .writeOnly], mode: 0o600)
            try probe.setAttribute("trusted.overlay.probe", [])
            return true
        } catch {
            // A file system without such attributes has none of the other kind either.
            return error != .EPERM
        }
    }

    // MARK: By path

    // lgetxattr and its family take no directory; `/proc/self/fd/N/NAME` makes them relative to one.

    /// The value of an attribute of a name in this directory, a symbolic link not followed; nil where there is none.
    public func attribute(_ name: UnsafePointer<CChar>, of path: UnsafePointer<CChar>) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            return try withProcPath(appending: path) { (full: UnsafePointer<CChar>) throws(Errno) in
                try Self.growing { (buffer: UnsafeMutableRawBufferPointer) throws(Errno) in
                    try check { clinux_lgetxattr(full, name, buffer.baseAddress, buffer.count) }
                }
            }
        } catch {
            if error == .ENODATA || error == .EOPNOTSUPP { return nil }
            throw error
        }
    }

    /// Sets an attribute of a name in this directory, a symbolic link not followed.
    public func setAttribute(
        _ name: UnsafePointer<CChar>, of path: UnsafePointer<CChar>, _ value: [UInt8],
        mode: AttributeWrite = .createOrReplace
    ) throws(Errno) {
        try withProcPath(appending: path) { (full: UnsafePointer<CChar>) throws(Errno) in
            try checkVoid {
                value.withUnsafeBytes { clinux_lsetxattr(full, name, $0.baseAddress, $0.count, mode.rawValue) }
            }
        }
    }

    // `/proc/self/fd/N` of a symbolic link opened with O_PATH leads to the link itself, so the calls that follow
    // the magic link are the right ones.
    private func withFollowedProcPath<Value>(
        _ body: (UnsafePointer<CChar>) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        try withProcPath(body)
    }

    /// Calls `read` with growing buffers until the value fits.
    private static func growing(
        _ read: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> [UInt8] {
        var room = 256
        while true {
            var value = [UInt8](repeating: 0, count: room)
            do throws(Errno) {
                let count = try value.withUnsafeMutableBytesThrowing { buffer throws(Errno) in try read(buffer) }
                value.removeLast(value.count - count)
                return value
            } catch {
                if error != .ERANGE || room > 1 << 20 { throw error }
                room *= 8
            }
        }
    }
}
