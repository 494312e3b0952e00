internal import FUSE
internal import Glibc
internal import Linux

/// Where an object is right now: a directory descriptor and a path below it, ready for `*at` calls.
///
/// The path of an object in the upper layer is composed from the names above it; it stays right as long as the
/// caller holds the tree lock. A path too long for one system call is walked in pieces first.
struct Place: ~Copyable {
    let layer: Layer
    /// Where a long path was walked to; -1 for the common case, where the path starts at the layer's root.
    fileprivate let deep: FileDescriptor
    private let storage: UnsafeMutablePointer<CChar>
    /// The path relative to `directory`: bytes with a terminating zero; "." for the root itself.
    let path: UnsafePointer<CChar>

    private init(
        layer: Layer, deep: consuming FileDescriptor, storage: UnsafeMutablePointer<CChar>, path: UnsafePointer<CChar>
    ) {
        self.layer = layer
        self.deep = deep
        self.storage = storage
        self.path = path
    }

    deinit { storage.deallocate() }

    /// The directory that `path` is relative to.
    var directory: FileDescriptor {
        @inline(__always) _read {
            if deep.rawValue >= 0 { yield deep } else { yield layer.root }
        }
    }

    /// Longest path given to a system call: PATH_MAX less room for `/proc/self/fd/N/` and the zero.
    private static let longest = 4000

    /// The object `name` in a directory of a lower layer, or that directory itself.
    static func lower(_ layer: Layer, _ path: LowerPath, _ name: Text? = nil) throws(Errno) -> Place {
        let separator = path.length > 0 && name != nil ? 1 : 0
        let length = path.length + separator + (name?.length ?? 0)
        let storage = UnsafeMutablePointer<CChar>.allocate(capacity: max(length, 1) + 1)
        storage.update(from: path.pointer, count: path.length)
        if separator > 0 { storage[path.length] = slash }
        if let name { (storage + path.length + separator).update(from: name.pointer, count: name.length) }
        return try finish(layer, storage, length)
    }

    /// The object of that node in the upper layer, or `name` in it; the caller holds the tree lock.
    static func upper(_ layer: Layer, _ node: Node, _ name: Text? = nil) throws(Errno) -> Place {
        var length = name.map { $0.length + 1 } ?? 0
        var link = node.link
        while let current = link {
            length += current.length + 1
            link = current.parent.link
        }
        length = max(length - 1, 0)
        let storage = UnsafeMutablePointer<CChar>.allocate(capacity: max(length, 1) + 1)
        var end = length
        if let name {
            end -= name.length
            (storage + end).update(from: name.pointer, count: name.length)
        }
        link = node.link
        while let current = link {
            if end < length {
                end -= 1
                storage[end] = slash
            }
            end -= current.length
            (storage + end).update(from: current.name, count: current.length)
            link = current.parent.link
        }
        return try finish(layer, storage, length)
    }

    /// A path below a layer's root that is at hand already.
    static func plain(_ layer: Layer, _ path: Text) throws(Errno) -> Place {
        let storage = UnsafeMutablePointer<CChar>.allocate(capacity: max(path.length, 1) + 1)
        storage.update(from: path.pointer, count: path.length)
        return try finish(layer, storage, path.length)
    }

    private static var slash: CChar { CChar(bitPattern: UInt8(ascii: "/")) }

    private static func finish(
        _ layer: Layer, _ storage: UnsafeMutablePointer<CChar>, _ length: Int
    ) throws(Errno) -> Place {
        storage[length] = 0
        if length == 0 {
            storage[0] = CChar(bitPattern: UInt8(ascii: "."))
            storage[1] = 0
        }
        var rest = storage
        var remaining = length
        var deep = FileDescriptor(owning: -1)
        while remaining > longest {
            var end = longest
            while end > 0 && rest[end] != slash { end -= 1 }
            if end == 0 {
                storage.deallocate()
                throw .ENAMETOOLONG
            }
            rest[end] = 0
            do throws(Errno) {
                let flags: OpenFlags = [.path, .directory, .noFollow]
                if deep.rawValue >= 0 {
                    deep = try deep.open(rest, flags)
                } else {
                    deep = try layer.root.open(rest, flags)
                }
            } catch {
                storage.deallocate()
                throw error
            }
            rest += end + 1
            remaining -= end + 1
        }
        return Place(layer: layer, deep: deep, storage: storage, path: rest)
    }
}

extension Place {
    /// The path from the layer's root; nil for one that was too long for a system call.
    var fullPath: [UInt8]? {
        if deep.rawValue >= 0 { return nil }
        return UnsafeBufferPointer(start: path, count: strlen(path)).map { UInt8(bitPattern: $0) }
    }

    func status() throws(Errno) -> FileStatus { try directory.status(of: path) }

    /// Nil where there is nothing.
    func statusIfPresent() throws(Errno) -> FileStatus? { try directory.statusIfPresent(of: path) }

    func open(_ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> FileDescriptor {
        try directory.open(path, flags.union(.noFollow), mode: mode)
    }

    /// Renames to another place.
    func rename(to other: borrowing Place, _ flags: RenameFlags = []) throws(Errno) {
        let (from, to) = (path, other.path)
        try directory.rename(from, to: other.directory, to, flags: flags)
    }

    /// Gives the object at this place a further name.
    func makeLink(at other: borrowing Place) throws(Errno) {
        let (from, to) = (path, other.path)
        try directory.makeLink(of: from, in: other.directory, at: to)
    }

    /// Value of an attribute, nil where there is none or the file system knows no such attributes.
    func attribute(_ name: StaticString) throws(Errno) -> [UInt8]? {
        let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        var room = 64
        while true {
            var value = [UInt8](repeating: 0, count: room)
            var outcome: Result<Int, Errno> = .success(0)
            value.withUnsafeMutableBytes { buffer in
                do throws(Errno) {
                    outcome = .success(try directory.attribute(name, of: path, into: buffer))
                } catch {
                    outcome = .failure(error)
                }
            }
            switch outcome {
            case .success(let count): return Array(value[..<min(count, room)])
            case .failure(.ENODATA), .failure(.EOPNOTSUPP): return nil
            case .failure(.ERANGE) where room < 1 << 16: room *= 16
            case .failure(let error): throw error
            }
        }
    }

    func setAttribute(_ name: StaticString, _ value: UnsafeRawBufferPointer) throws(Errno) {
        let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        try directory.setAttribute(name, of: path, value)
    }

    func removeAttribute(_ name: StaticString) throws(Errno) {
        let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        try directory.removeAttribute(name, of: path)
    }
}
