import FUSE
import Glibc
import Linux
import Testing

@testable import UnionFS

/// Files of which only the attributes are in the upper layer.
@Suite struct MetacopyTests {
    private static let mark = "trusted.overlay.metacopy"
    private static let redirect = "trusted.overlay.redirect"

    /// Changes of attributes, none of which needs the data.
    private static let changes: [(name: String, make: @Sendable (Union, Node) throws -> Void)] = [
        ("chmod", { try $0.setMode($1, 0o600) }),
        (
            "chown",
            { union, node in
                var changes = AttributeChanges()
                (changes.uid, changes.gid) = (5, 6)
                _ = try union.setattr(node, changes)
            }
        ),
        (
            "utimens",
            { union, node in
                var changes = AttributeChanges()
                changes.modificationTime = TimeSpec(seconds: 7)
                _ = try union.setattr(node, changes)
            }
        ),
        ("setxattr", { union, node in try union.setAttribute("user.a", "b", of: node) }),
        (
            "removexattr",
            { union, node in
                try named("user.given") { try union.removexattr(node, $0) }
            }
        ),
    ]

    @Test(arguments: 0..<5) func `a change of attributes copies no data`(_ number: Int) throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", String(repeating: "text", count: 100_000))
        try sandbox.attribute("user.given", "x", of: "a/f")
        let below = try sandbox.status("a/f")
        let change = Self.changes[number]
        do {
            let union = try sandbox.union("a")
            let node = try union.find("f")
            try change.make(union, node)
            let above = try sandbox.status("upper/f")
            #expect(above.size == below.size && above.allocatedSize < 16384, "\(change.name)")
            #expect(try sandbox.attribute(Self.mark, of: "upper/f") == "")
            #expect(try sandbox.attribute(Self.redirect, of: "upper/f") == nil)
            let shown = try union.getattr(node)
            #expect(shown.blocks == UInt64(below.blocks) && shown.inode == below.inode)
            #expect(try union.read("f") == sandbox.text("a/f"))
        }
        let union = try sandbox.union("a")
        #expect(try union.read("f") == sandbox.text("a/f"))
        #expect(try union.getattr(union.find("f")).blocks == UInt64(below.blocks))
        #expect(try sandbox.attribute(Self.mark, of: "upper/f") == "", "reading copied the data")
    }

    @Test func `metacopy=off copies the data`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "text")
        var configuration = sandbox.configuration(["a"])
        configuration.usesMetacopy = false
        do {
            let union = try Union(configuration)
            try union.setMode(union.find("f"), 0o600)
            #expect(try sandbox.text("upper/f") == "text")
            #expect(try sandbox.attribute(Self.mark, of: "upper/f") == nil)
        }
        // Those of others are seen and not followed.
        try sandbox.file("upper/g", "\0\0\0\0")
        try sandbox.attribute(Self.mark, "", of: "upper/g")
        try sandbox.attribute("trusted.overlay.origin", "", of: "upper/g")
        try sandbox.file("a/g", "text")
        let union = try Union(configuration)
        #expect(throws: Errno.EPERM) { try union.read("g") }
    }

    @Test func `opening for writing completes the file and changes nothing else`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "text")
        let time = TimeSpec(seconds: 1_000_000, nanoseconds: 5)
        try FileDescriptor.currentDirectory.setTimes(of: "\(sandbox.path)/a/f", access: time, modification: time)
        let capability: [UInt8] = [0, 0, 0, 2, 0, 4, 0, 0] + [UInt8](repeating: 0, count: 12)
        try FileDescriptor.open("\(sandbox.path)/a/f", .readWrite).setAttribute("security.capability", capability)
        let union = try sandbox.union("a")
        let node = try union.find("f")
        try union.setMode(node, 0o6711)
        _ = try union.open(node, .writeOnly, by: nil)
        union.release(node)
        #expect(try sandbox.attribute(Self.mark, of: "upper/f") == nil)
        let status = try sandbox.status("upper/f")
        #expect(try sandbox.text("upper/f") == "text")
        #expect(status.permissions == 0o6711 && status.modificationTime == time && status.accessTime == time)
        let kept = try FileDescriptor.open("\(sandbox.path)/upper/f").attribute("security.capability")
        #expect(kept == capability)
    }

    @Test func `truncating takes what is left of the data and no more`() throws {
        let sandbox = try Sandbox()
        let text = String(repeating: "0123456789", count: 100_000)
        for name in ["none", "some", "all", "more"] { try sandbox.file("a/\(name)", text) }
        let union = try sandbox.union("a")
        for (name, size) in [("none", 0), ("some", 5), ("all", 1_000_000), ("more", 1_000_010)] {
            let node = try union.find(name)
            try union.setMode(node, 0o600)
            var changes = AttributeChanges()
            changes.size = UInt64(size)
            #expect(try union.setattr(node, changes).size == UInt64(size))
            #expect(try sandbox.attribute(Self.mark, of: "upper/\(name)") == nil)
            let wanted = String(text.prefix(size)) + String(repeating: "\0", count: max(0, size - text.count))
            #expect(try sandbox.text("upper/\(name)") == wanted, "\(name)")
            #expect(try union.read(name) == wanted, "\(name)")
        }
        try union.setMode(union.find("none"), 0o600)
        #expect(try union.read("none").isEmpty)
    }

    @Test func `O_TRUNC of a file of attributes`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "a long text")
        do {
            let union = try sandbox.union("a")
            try union.setMode(union.find("f"), 0o600)
            try union.write("new", to: "f")
            #expect(try union.read("f") == "new")
        }
        #expect(try sandbox.text("upper/f") == "new" && sandbox.text("a/f") == "a long text")
        #expect(try sandbox.union("a").read("f") == "new")
    }

    // MARK: Names

    @Test func `a rename notes where the data are`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/d")
        try sandbox.file("a/d/f", "text")
        try sandbox.directory("a/e")
        do {
            let union = try sandbox.union("a")
            try union.move("d/f", to: "e/g")
            #expect(try union.read("e/g") == "text")
            try union.move("e/g", to: "h")
            #expect(try union.read("h") == "text")
        }
        #expect(try sandbox.attribute(Self.redirect, of: "upper/h") == "/d/f")
        #expect(try sandbox.attribute(Self.mark, of: "upper/h") == "")
        let union = try sandbox.union("a")
        #expect(try union.read("h") == "text")
        try union.write("more", to: "h")
        #expect(try sandbox.text("upper/h") == "more")
    }

    @Test func `data are found below renamed directories`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/d")
        try sandbox.directory("a/d/sub")
        for name in ["f", "g", "sub/h"] { try sandbox.file("a/d/\(name)", name) }
        do {
            let union = try sandbox.union("a")
            for name in ["f", "g", "sub/h"] { try union.setMode(union.find("d/\(name)"), 0o600) }
            try union.move("d", to: "e")
            try union.move("e/g", to: "e/sub/g")
            try union.move("e/sub", to: "s")
            for (path, text) in [("e/f", "f"), ("s/g", "g"), ("s/h", "sub/h")] { #expect(try union.read(path) == text) }
        }
        #expect(try sandbox.attribute(Self.redirect, of: "upper/s/g") == "/d/g")
        #expect(try sandbox.attribute(Self.redirect, of: "upper/s/h") == nil)
        let union = try sandbox.union("a")
        for (path, text) in [("e/f", "f"), ("s/g", "g"), ("s/h", "sub/h")] { #expect(try union.read(path) == text) }
    }

    @Test func `two files of attributes change places`() throws {
        let sandbox = try Sandbox()
        for name in ["f", "g"] { try sandbox.file("a/\(name)", name) }
        do {
            let union = try sandbox.union("a")
            try union.move("f", to: "g", flags: RenameFlags.exchange.rawValue)
            #expect(try union.read("f") == "g" && union.read("g") == "f")
        }
        let union = try sandbox.union("a")
        #expect(try union.read("f") == "g" && union.read("g") == "f")
        #expect(try sandbox.attribute(Self.mark, of: "upper/f") == "")
    }

    @Test func `a link to a file of attributes has its data`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "text")
        do {
            let union = try sandbox.union("a")
            let node = try union.find("f")
            _ = try named("g") { try union.link(node, union.table.root, $0) }
            #expect(try sandbox.attribute(Self.mark, of: "upper/g") == "")
            try named("f") { try union.unlink(union.table.root, $0) }
            #expect(try union.read("g") == "text")
        }
        #expect(try sandbox.union("a").read("g") == "text")
    }

    @Test func `names of one lower file share attributes and then data`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "text")
        try FileDescriptor.currentDirectory.makeLink(
            of: "\(sandbox.path)/a/f", in: FileDescriptor.currentDirectory, at: "\(sandbox.path)/a/g")
        do {
            let union = try sandbox.union("a")
            try union.setMode(union.find("f"), 0o600)
            #expect(try union.find("g") === union.find("f"))
            #expect(try union.read("g") == "text")
        }
        do {
            let union = try sandbox.union("a")
            #expect(try union.getattr(union.find("g")).mode & 0o777 == 0o600)
            #expect(try union.read("g") == "text")
            try union.move("g", to: "h")
            #expect(try union.read("h") == "text" && union.read("f") == "text")
        }
        let union = try sandbox.union("a")
        #expect(try union.read("h") == "text")
        try union.write("both", to: "h")
        #expect(try union.read("f") == "both")
    }

    // MARK: Breakdowns

    @Test func `data that were half copied when the server was killed do not count`() throws {
        let sandbox = try Sandbox()
        let text = String(repeating: "0123456789", count: 10_000)
        try sandbox.file("a/f", text)
        do {
            let union = try sandbox.union("a")
            try union.setMode(union.find("f"), 0o600)
        }
        let half = try FileDescriptor.open("\(sandbox.path)/upper/f", .readWrite)
        try half.writeAll("half")
        let union = try sandbox.union("a")
        #expect(try union.read("f") == text)
        let node = try union.find("f")
        _ = try union.open(node, .readWrite, by: nil)
        union.release(node)
        #expect(try sandbox.text("upper/f") == text)
        #expect(try union.read("f") == text)
    }

    @Test(arguments: [0, 7]) func `a file that was cut and not yet unmarked is whole`(_ size: Int) throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "0123456789")
        do {
            let union = try sandbox.union("a")
            try union.setMode(union.find("f"), 0o600)
        }
        // As `complete` leaves it before its last step.
        let cut = try FileDescriptor.open("\(sandbox.path)/upper/f", .readWrite)
        try cut.writeAll(String("0123456789".prefix(size)))
        try cut.truncate(to: Int64(size))
        do {
            let union = try sandbox.union("a")
            #expect(try union.read("f") == "0123456789".prefix(size))
            try union.write("longer than it ever was", to: "f")
        }
        #expect(try sandbox.union("a").read("f") == "longer than it ever was")
    }

    @Test func `without data a file can be looked at and removed, not read`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("upper/f", "\0\0\0")
        try sandbox.attribute(Self.mark, "", of: "upper/f")
        try sandbox.attribute(Self.redirect, "/gone", of: "upper/f")
        let union = try sandbox.union("a")
        let node = try union.find("f")
        #expect(try union.getattr(node).size == 3)
        #expect(throws: Errno.EIO) { try union.read("f") }
        #expect(throws: Errno.EIO) { try union.open(node, .writeOnly, by: nil) }
        try union.setMode(node, 0o600)
        try union.move("f", to: "g")
        try named("g") { try union.unlink(union.table.root, $0) }
        #expect(try !union.exists("g"))
    }

    // MARK: Layers

    @Test func `attributes in one layer, data in another, under other names`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("c/deep")
        try sandbox.file("c/deep/data", "lowest")
        try sandbox.file("c/other", "not this")
        for (path, redirect) in [("b/middle", "/deep/data"), ("a/top", "middle")] {
            try sandbox.file(path, "\0\0\0\0\0\0")
            try sandbox.attribute(Self.mark, "", of: path)
            try sandbox.attribute(Self.redirect, redirect, of: path)
        }
        // What the redirect of a layer means is below that layer.
        try sandbox.directory("a/deep")
        try sandbox.file("a/deep/data", "above")
        do {
            let union = try sandbox.union("a", "b", "c")
            #expect(try union.read("top") == "lowest" && union.read("middle") == "lowest")
            try union.move("top", to: "deep/moved")
            #expect(try union.read("deep/moved") == "lowest")
        }
        #expect(try sandbox.attribute(Self.redirect, of: "upper/deep/moved") == "/top")
        let union = try sandbox.union("a", "b", "c")
        #expect(try union.read("deep/moved") == "lowest")
        try union.write("own", to: "middle")
        #expect(try sandbox.text("upper/middle") == "own" && union.read("deep/moved") == "lowest")
    }

    @Test func `redirects that lead nowhere or out are errors`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("b/d")
        try sandbox.file("b/d/f", "text")
        try FileDescriptor.currentDirectory.makeSymbolicLink("\(sandbox.path)/b/l", to: "d")
        try sandbox.file("secret", "secret")
        let redirects = ["/../secret", "../secret", "/d", "/l/f", "/", "d/f", "/d/../d/f", "/d/f/x", ""]
        for (number, redirect) in redirects.enumerated() {
            try sandbox.file("a/\(number)", "\0\0\0\0")
            try sandbox.attribute(Self.mark, "", of: "a/\(number)")
            try sandbox.attribute(Self.redirect, redirect, of: "a/\(number)")
        }
        let union = try sandbox.union("a", "b")
        for number in redirects.indices {
            #expect(throws: Errno.EIO, "\(redirects[number])") { try union.read("\(number)") }
        }
    }

    @Test func `marks in user attributes`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "text")
        var configuration = sandbox.configuration(["a"])
        configuration.usesUserAttributes = true
        do {
            let union = try Union(configuration)
            try union.setMode(union.find("f"), 0o600)
            try union.move("f", to: "g")
        }
        #expect(try sandbox.attribute("user.overlay.metacopy", of: "upper/g") == "")
        #expect(try sandbox.attribute("user.overlay.redirect", of: "upper/g") == "/f")
        let union = try Union(configuration)
        #expect(try union.read("g") == "text")
        try union.write("more", to: "g")
        #expect(try sandbox.attribute("user.overlay.metacopy", of: "upper/g") == nil)
        #expect(try sandbox.text("upper/g") == "more")
    }
}

extension Union {
    func setMode(_ node: Node, _ mode: UInt32) throws {
        var changes = AttributeChanges()
        changes.mode = mode
        _ = try setattr(node, changes)
    }

    func setAttribute(_ name: String, _ value: String, of node: Node) throws {
        try named(name) { name in
            let bytes = Array(value.utf8)
            try bytes.withUnsafeBytes { try setxattr(node, name, $0, flags: 0, killSetGroupID: false) }
        }
    }

    /// Renames by paths.
    func move(_ path: String, to target: String, flags: UInt32 = 0) throws {
        let (from, to) = (try split(path), try split(target))
        try named(from.name) { old in
            try named(to.name) { new in try rename(from.parent, old, to: to.parent, new, flags: flags) }
        }
    }

    private func split(_ path: String) throws -> (parent: Node, name: String) {
        let components = path.split(separator: "/")
        let parent = try find(components.dropLast().joined(separator: "/"))
        return (parent, components.last.map(String.init) ?? "")
    }
}
