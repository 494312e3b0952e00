import FUSE
import Glibc
import Linux
import Testing

@testable import UnionFS

/// Layers in a directory of their own, and a union over them without a mount. Needs root: whiteouts and `trusted.`
/// attributes are for root alone.
final class Sandbox {
    let path: String

    init() throws {
        var template = Array("/var/tmp/strata-union-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno.current }
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        for name in ["upper", "work", "a", "b", "c"] { try directory(name) }
    }

    deinit { try? FileDescriptor.currentDirectory.removeTree(path) }

    // MARK: Layers

    func directory(_ name: String, mode: UInt32 = 0o755) throws {
        try FileDescriptor.currentDirectory.makeDirectory("\(path)/\(name)", mode: mode)
    }

    func file(_ name: String, _ text: String = "", mode: UInt32 = 0o644) throws {
        let file = try FileDescriptor.open("\(path)/\(name)", [.create, .truncate, .writeOnly], mode: mode)
        try file.writeAll(text)
    }

    func whiteout(_ name: String) throws {
        try FileDescriptor.currentDirectory.makeNode("\(path)/\(name)", mode: S_IFCHR)
    }

    func attribute(_ attribute: String, _ value: String, of name: String) throws {
        let file = try FileDescriptor.open("\(path)/\(name)", [.path, .noFollow])
        try file.setAttribute(attribute, Array(value.utf8))
    }

    func attribute(_ attribute: String, of name: String) throws -> String? {
        let file = try FileDescriptor.open("\(path)/\(name)", [.path, .noFollow])
        return try file.attribute(attribute).map { String(decoding: $0, as: UTF8.self) }
    }

    func status(_ name: String) throws -> FileStatus {
        try FileDescriptor.currentDirectory.status(of: "\(path)/\(name)")
    }

    func exists(_ name: String) throws -> Bool {
        try FileDescriptor.currentDirectory.statusIfPresent(of: "\(path)/\(name)") != nil
    }

    func text(_ name: String) throws -> String {
        String(decoding: try FileDescriptor.open("\(path)/\(name)").readAll(), as: UTF8.self)
    }

    // MARK: Unions

    func configuration(_ lower: [String], upper: Bool = true) -> Configuration {
        var result = Configuration()
        result.lower = lower.map { "\(path)/\($0)" }
        if upper {
            result.upper = "\(path)/upper"
            result.work = "\(path)/work"
        }
        return result
    }

    func union(_ lower: String..., upper: Bool = true) throws -> Union {
        try Union(configuration(lower, upper: upper))
    }
}

/// Root, asking.
let root = Request(uid: 0, gid: 0, pid: 1, umask: 0o022)

/// Calls the body with a name.
func named<Result>(_ name: String, _ body: (Name) throws -> Result) rethrows -> Result {
    try name.withCString { try body(Name($0)) }
}

extension Union {
    /// The node of a path, looked up as the kernel would.
    func find(_ path: String) throws -> Node {
        var node = table.root
        for component in path.split(separator: "/") {
            guard let entry = try named(String(component), { try lookup(node, $0) }) else { throw Errno.ENOENT }
            node = try self.node(entry.node)
        }
        return node
    }

    func exists(_ path: String) throws -> Bool {
        do {
            _ = try find(path)
            return true
        } catch let error as Errno where error == .ENOENT {
            return false
        }
    }

    /// Names in a directory, sorted, without the dots.
    func names(_ path: String) throws -> [String] {
        let node = try find(path)
        var names: [String] = []
        try tree.read { () throws(Errno) in
            try entries(of: node).forEach(after: 2) { (_, name) throws(Errno) in
                names.append(String(decoding: name.bytes, as: UTF8.self))
                return true
            }
        }
        return names.sorted()
    }

    /// Writes through the union.
    func write(_ text: String, to path: String) throws {
        let node = try find(path)
        _ = try open(node, [.writeOnly, .truncate], by: nil)
        defer { release(node) }
        var bytes = Array(text.utf8)
        try bytes.withUnsafeMutableBytes { _ = try write(node, UnsafeRawBufferPointer($0), at: 0, by: nil) }
    }

    func read(_ path: String) throws -> String {
        let node = try find(path)
        _ = try open(node, .readOnly, by: nil)
        defer { release(node) }
        return String(decoding: try descriptor(of: node, write: false).value.readAll(), as: UTF8.self)
    }
}
