import Linux
import TestSupport
import Testing

/// An overlay whose lower layer is a mount of ours: an engine in a container, a union on a union.
@Suite struct StackedUnionTests {
    static let servers: [MountedUnion.Server] = [.kernel, .strata]

    private static func layOut(_ area: Area) throws {
        for name in ["f", "linked", "removed", "other"] { try area.file(name, name) }
        try area.link("again", to: "linked")
        try area.link("removed too", to: "removed")
        try area.directory("d")
        try area.file("d/g", "deep")
        try area.symlink("l", to: "f")
    }

    /// Mounts a union, and on it an overlay by that server.
    private func withStack(
        _ server: MountedUnion.Server, options: [String] = [],
        _ body: (_ below: MountedUnion, _ above: MountedUnion) throws -> Void
    ) throws {
        try withUnion(options: options, layers: [Self.layOut, { _ in }]) { below in
            try withUnion(server, below: [below.target]) { above in try body(below, above) }
        }
    }

    @Test("files stay what they are when the kernel has forgotten them", arguments: servers, ["off", "on"])
    func secondOperation(server: MountedUnion.Server, passthrough: String) throws {
        try withStack(server, options: ["passthrough=\(passthrough)"]) { below, above in
            func area(_ body: (Area) throws -> Void) throws {
                try dropCaches()
                try Area.with(above.target, body)
            }
            try area { area throws in
                try area.append("linked", "+1")
                try area.setMode("f", 0o600)
                try area.rename("d", "e")
                try area.remove("removed too")
            }
            try area { area throws in
                #expect(try area.text("again") == (server == .strata ? "linked+1" : "linked"))
                #expect(try area.text("f") == "f")
                try area.append("f", "+1")
                try area.append("linked", "+2")
                try area.append("e/g", "+1")
            }
            try area { area throws in
                #expect(try area.text("f") == "f+1")
                #expect(try area.text("removed") == "removed")
                try area.append("removed", "+1")
                try area.link("third", to: "linked")
                try area.append("third", "+3")
            }
            func check() throws {
                try area { area throws in
                    let first = try area.names()
                    #expect(first == ["again", "e", "f", "l", "linked", "other", "removed", "third"])
                    #expect(try area.text("linked") == "linked+1+2+3")
                    #expect(try area.text("third") == "linked+1+2+3")
                    #expect(try area.text("again") == (server == .strata ? "linked+1+2+3" : "linked"))
                    #expect(try area.text("f") == "f+1" && area.status("f").permissions == 0o600)
                    #expect(try area.text("removed") == "removed+1" && area.text("e/g") == "deep+1")
                    #expect(try area.text("l") == "f+1" && area.text("other") == "other")
                    #expect(try area.status("linked").inode == area.status("third").inode)
                }
            }
            try check()
            try above.remount()
            try check()
            // And when the mount below is another one.
            try above.unmount()
            try below.remount()
            try above.mount()
            try check()
            try area { area throws in
                try area.append("linked", "!")
                try area.append("f", "!")
                try area.remove("third")
            }
            try area { area throws in
                #expect(try area.text("linked") == "linked+1+2+3!" && area.text("f") == "f+1!")
                if server == .strata {
                    #expect(try area.text("again") == "linked+1+2+3!")
                    #expect(try area.status("linked").inode == area.status("again").inode)
                    #expect(try area.status("again").linkCount == 2)
                }
            }
        }
    }

    @Test("a mount of ours has handles that can be opened only where that is asked for")
    func handles() throws {
        for isOn in [false, true] {
            try withUnion(options: isOn ? ["nfs_export=on"] : [], layers: [Self.layOut]) { union in
                try Area.with(union.target) { area throws in
                    if isOn {
                        let handle = try area.root.fileHandle(of: "f")
                        #expect(try area.root.open(handle, .readOnly).text() == "f")
                    } else {
                        expectError(.EOPNOTSUPP) { _ = try area.root.fileHandle(of: "f") }
                    }
                }
            }
        }
    }
}
