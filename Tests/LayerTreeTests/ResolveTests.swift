import LayerTree
import Linux
import TestSupport
import Testing

/// Two directories as layers have them, made by a script.
private final class Layers {
    private let path: String

    /// - Parameter script: makes `top` and `bottom` what they are; both exist.
    init(_ script: String) throws {
        path = try shell("mktemp -d /var/tmp/strata-layers-test-XXXXXX").trimmingNewline
        try shell("set -e; mkdir top bottom\n" + script, in: path)
    }

    deinit { try? FileDescriptor.currentDirectory.removeTree(path) }

    /// How the search for a path ends, in words.
    func search(_ wanted: String, followsLast: Bool = true) throws -> String {
        let tree = try TreeDirectory(layers: [path + "/top", path + "/bottom"], marks: .trusted)
        switch try tree.search(TreePath.names(wanted), followsLast: followsLast) {
        case .found(let location):
            return "\(TreePath.text(location.path)) is \(location.entry?.status.type ?? .directory)"
        case .missing(let chain, let rest):
            let last = chain.last.map { "\(TreePath.text($0.path)), \($0.directory.parts.count) parts" } ?? "nothing"
            return "\(TreePath.text(rest)) is missing below \(last)"
        case .blocked(let error): return "blocked: \(error)"
        }
    }
}

extension String {
    fileprivate var trimmingNewline: String { last == "\n" ? String(dropLast()) : self }
}

/// The search for paths in a stack of directories as layers are.
@Suite struct ResolveTests {
    @Test func pathsLeadThroughLayersAndLinks() throws {
        let layers = try Layers(
            """
            mkdir bottom/etc top/etc
            echo x > bottom/etc/hosts
            ln -s ../run/resolv.conf top/etc/resolv.conf
            ln -s /etc top/var
            ln -s missing/../../../../tmp/out top/out
            """)
        #expect(try layers.search("/") == "/ is directory")
        #expect(try layers.search("/etc/hosts") == "/etc/hosts is regular")
        #expect(try layers.search("/var/../var/hosts") == "/etc/hosts is regular")
        #expect(try layers.search("/etc/..") == "/ is directory")
        #expect(try layers.search("/../etc/./hosts") == "/etc/hosts is regular")
        #expect(try layers.search("/etc/resolv.conf") == "/run/resolv.conf is missing below /, 2 parts")
        #expect(try layers.search("/etc/resolv.conf", followsLast: false) == "/etc/resolv.conf is symbolicLink")
        #expect(try layers.search("/etc/a/b") == "/a/b is missing below /etc, 2 parts")
        #expect(try layers.search("/out/file") == "blocked: \(Errno.ENOENT)")
        #expect(try layers.search("/etc/hosts/x") == "blocked: \(Errno.ENOTDIR)")
    }

    @Test func whiteoutsAndOpaqueDirectoriesHide() throws {
        let layers = try Layers(
            """
            mkdir bottom/gone bottom/emptied bottom/replaced top/emptied
            touch bottom/gone/file bottom/emptied/file
            mknod top/gone c 0 0
            setfattr -n trusted.overlay.opaque -v y top/emptied
            touch top/replaced
            """)
        #expect(try layers.search("/gone/file") == "/gone/file is missing below /, 2 parts")
        #expect(try layers.search("/emptied/file") == "/file is missing below /emptied, 1 parts")
        #expect(try layers.search("/replaced") == "/replaced is regular")
    }

    @Test func circlesOfLinksEnd() throws {
        let layers = try Layers("ln -s b top/a; ln -s /a top/b")
        #expect(try layers.search("/a/x") == "blocked: \(Errno.ELOOP)")
    }
}
