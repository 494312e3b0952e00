import ImageStore
import Linux
import Testing

@testable import Runtime

/// The search for mount points that an image lacks, on directories as layers have them.
@Suite struct LayerLookupTests {
    private func withLayers(_ body: (_ root: String, _ top: String, _ bottom: String) throws -> Void) throws {
        try withTemporaryDirectory { root in
            try makeDirectory("\(root)/top")
            try makeDirectory("\(root)/bottom")
            try body(root, "\(root)/top", "\(root)/bottom")
        }
    }

    private func lookup(_ layers: [String]) throws -> LayerLookup {
        LayerLookup(root: try LowerStack(roots: layers, marks: .trusted))
    }

    @Test func findsThroughLayersAndLinks() throws {
        try withLayers { _, top, bottom in
            try makeDirectory("\(bottom)/etc")
            try write("x", to: "\(bottom)/etc/hosts")
            try makeDirectory("\(top)/etc")
            try makeLink("\(top)/etc/resolv.conf", to: "../run/resolv.conf")
            try makeLink("\(top)/var", to: "/etc")
            let lookup = try lookup([top, bottom])
            guard case .found(.regular) = lookup.find("/etc/hosts") else { return #expect(Bool(false)) }
            guard case .found(.regular) = lookup.find("/var/../var/hosts") else { return #expect(Bool(false)) }
            guard case .found(.directory) = lookup.find("/") else { return #expect(Bool(false)) }
            guard case .missing(let chain, let rest) = lookup.find("/etc/resolv.conf") else {
                return #expect(Bool(false))
            }
            #expect(chain.map(\.path) == [""])
            #expect(rest == ["run", "resolv.conf"])
            // No mount point is made outside, nor is a container kept from starting.
            try makeLink("\(top)/out", to: "missing/../../../../tmp/out")
            guard case .blocked = lookup.find("/out/file") else { return #expect(Bool(false)) }
            guard case .blocked = lookup.find("/etc/hosts/x") else { return #expect(Bool(false)) }
        }
    }

    @Test func whiteoutsAndOpaqueDirectoriesHide() throws {
        try withLayers { _, top, bottom in
            for name in ["gone", "emptied"] {
                try makeDirectory("\(bottom)/\(name)")
                try write("x", to: "\(bottom)/\(name)/file")
            }
            try FileDescriptor.currentDirectory.makeNode("\(top)/gone", mode: 0o020000)
            try makeDirectory("\(top)/emptied")
            try FileDescriptor.open("\(top)/emptied", .directory)
                .setAttribute("trusted.overlay.opaque", [UInt8(ascii: "y")])
            let lookup = try lookup([top, bottom])
            guard case .missing(_, let rest) = lookup.find("/gone/file") else { return #expect(Bool(false)) }
            #expect(rest == ["gone", "file"])
            guard case .missing(let chain, _) = lookup.find("/emptied/file") else { return #expect(Bool(false)) }
            #expect(chain.last?.stack.directories.count == 1)
        }
    }

    @Test func circlesOfLinksEnd() throws {
        try withLayers { _, top, _ in
            try makeLink("\(top)/a", to: "b")
            try makeLink("\(top)/b", to: "/a")
            guard case .blocked = try lookup([top]).find("/a/x") else { return #expect(Bool(false)) }
        }
    }

    @Test func lendsOnlyWhatIsMissingAndLooksLikeTheImage() throws {
        try withLayers { root, top, bottom in
            try makeDirectory("\(bottom)/etc")
            try write("x", to: "\(bottom)/etc/hosts")
            let etc = try FileDescriptor.open("\(bottom)/etc", .directory)
            try etc.setMode(0o751)
            try etc.setOwner(uid: 7, gid: 8)
            try etc.setTimes(access: TimeSpec(seconds: 11), modification: TimeSpec(seconds: 12))
            let made = try MountPointLayer.make(
                at: "\(root)/lent", under: [top, bottom], marks: .trusted,
                places: [
                    .init(path: "/etc/hosts", isDirectory: false), .init(path: "/etc/hostname", isDirectory: false),
                    .init(path: "/srv/deep/dir", isDirectory: true),
                ])
            #expect(made)
            #expect(try FileDescriptor.currentDirectory.statusIfPresent(of: "\(root)/lent/etc/hosts") == nil)
            #expect(try FileDescriptor.currentDirectory.status(of: "\(root)/lent/etc/hostname").isRegular)
            #expect(try FileDescriptor.currentDirectory.status(of: "\(root)/lent/srv/deep/dir").isDirectory)
            let status = try FileDescriptor.currentDirectory.status(of: "\(root)/lent/etc")
            #expect(status.permissions == 0o751)
            #expect((status.uid, status.gid) == (7, 8))
            #expect(status.modificationTime == TimeSpec(seconds: 12))
        }
    }

    @Test func lendsNothingWhenNothingIsMissing() throws {
        try withLayers { root, top, bottom in
            try makeDirectory("\(bottom)/proc")
            let made = try MountPointLayer.make(
                at: "\(root)/lent", under: [top, bottom], marks: .trusted,
                places: [.init(path: "/proc", isDirectory: true)])
            #expect(!made)
            #expect(try FileDescriptor.currentDirectory.statusIfPresent(of: "\(root)/lent") == nil)
        }
    }
}
