import FUSE
import Linux
import Testing

@testable import UnionFS

/// What names mean in a stack of layers.
@Suite struct LayerStackTests {
    @Test func `the topmost layer that has a name wins`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "from a")
        try sandbox.file("b/f", "from b")
        try sandbox.file("b/g", "from b")
        let union = try sandbox.union("a", "b")
        #expect(try union.read("f") == "from a")
        #expect(try union.read("g") == "from b")
        #expect(try !union.exists("h"))
    }

    @Test func `a whiteout hides what lies below, wherever it is`() throws {
        let sandbox = try Sandbox()
        for layer in ["b", "c"] {
            try sandbox.directory("\(layer)/d")
            try sandbox.file("\(layer)/d/x")
            try sandbox.file("\(layer)/d/y")
        }
        try sandbox.directory("a/d")
        try sandbox.whiteout("a/d/x")
        try sandbox.whiteout("c/lowest")
        let union = try sandbox.union("a", "b", "c")
        #expect(try !union.exists("d/x"))
        #expect(try union.names("d") == ["y"])
        #expect(try !union.exists("lowest"))
        #expect(try union.names("") == ["d"])
    }

    @Test func `an opaque directory shows nothing of the layers below`() throws {
        let sandbox = try Sandbox()
        for layer in ["a", "b", "c"] {
            try sandbox.directory("\(layer)/d")
            try sandbox.file("\(layer)/d/\(layer)")
        }
        try sandbox.attribute("trusted.overlay.opaque", "y", of: "b/d")
        let union = try sandbox.union("a", "b", "c")
        #expect(try union.names("d") == ["a", "b"])
        #expect(try !union.exists("d/c"))
    }

    @Test func `whiteout files of fuse-overlayfs hide and are not shown`() throws {
        let sandbox = try Sandbox()
        for layer in ["a", "b"] {
            try sandbox.directory("\(layer)/d")
            try sandbox.directory("\(layer)/o")
        }
        try sandbox.file("a/d/.wh.gone")
        try sandbox.file("b/d/gone")
        try sandbox.file("b/d/there")
        try sandbox.file("a/o/.wh..wh..opq")
        try sandbox.file("b/o/hidden")
        let union = try sandbox.union("a", "b")
        #expect(try union.names("d") == ["there"])
        #expect(try !union.exists("d/gone"))
        #expect(try !union.exists("d/.wh.gone"))
        #expect(try union.names("o").isEmpty)
        #expect(try !union.exists("o/hidden"))
        #expect(throws: Errno.EINVAL) {
            try named(".wh.new") { try union.mkdir(union.table.root, $0, mode: 0o755, root) }
        }
    }

    @Test func `names too long for a marker are found beside markers`() throws {
        let sandbox = try Sandbox()
        let names = [251, 252, 255].map { String(repeating: "n", count: $0) }
        for layer in ["a", "b"] { try sandbox.directory("\(layer)/d") }
        try sandbox.file("a/d/.wh.gone")
        for name in names { try sandbox.file("b/d/\(name)", "from b") }
        let longestHidden = String(repeating: "h", count: 251)
        try sandbox.file("a/d/.wh.\(longestHidden)")
        try sandbox.file("b/d/\(longestHidden)")
        let union = try sandbox.union("a", "b")
        for name in names { #expect(try union.read("d/\(name)") == "from b") }
        #expect(try !union.exists("d/\(longestHidden)"))
    }

    @Test func `a file over a directory ends the merge`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/n")
        try sandbox.file("b/n", "file")
        try sandbox.directory("c/n")
        try sandbox.file("c/n/x")
        #expect(try sandbox.union("a", "b", "c", upper: false).names("n").isEmpty)
        #expect(try sandbox.union("b", "c", upper: false).read("n") == "file")
    }

    @Test(arguments: ["/old/place", "place"])
    func `a redirect leads to where the lower parts are`(redirect: String) throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/new")
        try sandbox.directory("b/old")
        try sandbox.directory("b/old/place")
        try sandbox.file("b/old/place/x", "absolute")
        try sandbox.directory("b/place")
        try sandbox.file("b/place/x", "relative")
        try sandbox.attribute("trusted.overlay.redirect", redirect, of: "a/new")
        let union = try sandbox.union("a", "b", upper: false)
        #expect(try union.read("new/x") == (redirect == "place" ? "relative" : "absolute"))
    }

    @Test(arguments: ["../b", "/..", "x/y", "/"])
    func `a redirect that leaves the layer is refused`(redirect: String) throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/d")
        try sandbox.directory("b/d")
        try sandbox.attribute("trusted.overlay.redirect", redirect, of: "a/d")
        let union = try sandbox.union("a", "b", upper: false)
        #expect(throws: Errno.EIO) { try union.names("d") }
    }

    @Test func `names that no layer can hold`() throws {
        let sandbox = try Sandbox()
        let union = try sandbox.union("a")
        let long = String(repeating: "n", count: 256)
        #expect(throws: Errno.ENAMETOOLONG) { try named(long) { try union.lookup(union.table.root, $0) } }
        #expect(throws: Errno.ENAMETOOLONG) {
            try named(long) { try union.mkdir(union.table.root, $0, mode: 0o755, root) }
        }
        _ = try named(String(long.dropLast())) { try union.mkdir(union.table.root, $0, mode: 0o755, root) }
    }

    @Test func `paths longer than a system call takes`() throws {
        let sandbox = try Sandbox()
        let union = try sandbox.union("a")
        let name = String(repeating: "d", count: 250)
        var node = union.table.root
        for _ in 0..<40 {
            let entry = try named(name) { try union.mkdir(node, $0, mode: 0o755, root) }
            node = try union.node(entry.node)
        }
        #expect(try union.getattr(node).type == .directory)
        let entry = try named("end") { try union.mknod(node, $0, mode: 0o100644, device: 0, root) }
        #expect(try union.getattr(try union.node(entry.node)).size == 0)
    }

    @Test func `inode numbers differ between file systems`() {
        let plain = Layer(
            index: 1, root: FileDescriptor(owning: -1), device: 1, fileSystem: 0, uuid: [], hasHandles: true)
        let other = Layer(
            index: 2, root: FileDescriptor(owning: -1), device: 2, fileSystem: 1, uuid: [], hasHandles: true)
        #expect(plain.inode(77) == 77)
        #expect(other.inode(77) != 77)
        #expect(other.inode(77) == other.inode(77))
        #expect(other.inode(77) != other.inode(78))
    }
}

/// Directories renamed in a layer that later lies below another.
@Suite struct RedirectTests {
    @Test func `a directory renamed in one layer and again in the next`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("b/top")
        try sandbox.directory("b/top/dir")
        try sandbox.directory("b/top/dir/pop")
        try sandbox.file("b/top/dir/pop/x", "found")
        // As a mount over b would have left it: top/dir moved to top/moved.
        try sandbox.directory("a/top")
        try sandbox.directory("a/top/moved")
        try sandbox.attribute("trusted.overlay.redirect", "/top/dir", of: "a/top/moved")
        try sandbox.whiteout("a/top/dir")
        do {
            let union = try sandbox.union("a", "b")
            #expect(try union.read("top/moved/pop/x") == "found")
            let (from, to) = (try union.find("top/moved"), try union.find("top"))
            try named("pop") { name in try union.rename(from, name, to: to, name, flags: 0) }
            #expect(try union.read("top/pop/x") == "found")
        }
        // Where it was in the union of the layers below, not in the layer that has it.
        #expect(try sandbox.attribute("trusted.overlay.redirect", of: "upper/top/pop") == "/top/moved/pop")
        let union = try sandbox.union("a", "b")
        #expect(try union.read("top/pop/x") == "found")
        #expect(try !union.exists("top/moved/pop"))
        #expect(try !union.exists("top/dir"))
    }

    @Test func `many directories are listed without keeping all of them`() throws {
        let sandbox = try Sandbox()
        for number in 0..<300 {
            try sandbox.directory("a/d\(number)")
            try sandbox.file("a/d\(number)/f")
        }
        let union = try sandbox.union("a", "b")
        for _ in 0..<3 {
            for number in 0..<300 { #expect(try union.names("d\(number)") == ["f"]) }
        }
    }
}
