import Glibc
import Linux
import TestSupport
import Testing

/// Owners that programs see and layers do not have, compared with fuse-overlayfs.
@Suite struct OwnerMappingTests {
    @Test(
        "every owner is shown, kept and changed as fuse-overlayfs does",
        arguments: [
            "uidmapping=0:100000:1000:1000:200000:1000,gidmapping=0:100000:65536", "squash_to_uid=42,squash_to_gid=43",
            "squash_to_root", "squash_to_root,squash_to_gid=5", "uidmapping=:0:100000:65536,squash_to_gid=9",
        ])
    func asPeer(options: String) throws {
        let expected = try owners(mountedBy: "fuse-overlayfs", options)
        let found = try owners(mountedBy: try MountHelper.path(), options)
        #expect(found == expected)
        #expect(expected.count == 19)
    }

    /// Makes and changes files, and says who owns them in the mount and in the upper directory.
    private func owners(mountedBy program: String, _ options: String) throws -> [String] {
        var lines: [String] = []
        try withBench { bench throws in
            try Area.with(bench.path("lower")) { area throws in
                for (name, id) in [("a", 0), ("b", 3), ("c", 1000), ("d", 70_000)] as [(String, UInt32)] {
                    try area.file(name)
                    try area.setOwner(name, uid: id, gid: id + 1)
                }
                try area.directory("open", mode: 0o777)
            }
            let finished = try runProgram([program, "-o", bench.stack + "," + options, bench.target])
            try #require(finished.status == 0, "\(finished.output)")
            defer { try? bench.unmount() }
            try Area.with(bench.target) { merged throws in
                func note(_ name: String) throws {
                    let upper = try FileDescriptor.open(bench.path("upper"), [.directory])
                    let (seen, kept) = (try merged.status(name), try upper.statusIfPresent(of: name))
                    lines.append("\(name) \(seen.uid):\(seen.gid)")
                    if let kept { lines.append("\(name) on disk \(kept.uid):\(kept.gid)") }
                }
                for name in ["a", "b", "c", "d"] { try note(name) }
                try merged.append("a", "!")
                try note("a")
                try merged.setOwner("b", uid: 100_005, gid: 100_006)
                try note("b")
                try merged.setOwner("c", uid: 7, gid: nil)
                try note("c")
                try merged.file("mine")
                try note("mine")
                try asUser(100_001, group: 100_002) {
                    _ = try merged.open("open/theirs", [.writeOnly, .create], mode: 0o644)
                    try merged.root.makeDirectory("open/directory", mode: 0o755)
                    try merged.symlink("open/link", to: "x")
                }
                for name in ["open/theirs", "open/directory", "open/link"] { try note(name) }
                lines.append(try merged.names("open").joined(separator: " "))
            }
        }
        return lines
    }

    @Test("who may do what is decided by the owners that are shown, and lists name them too")
    func permissions() throws {
        try withBench { bench throws in
            try Area.with(bench.path("lower")) { area throws in
                try area.file("private", "secret", mode: 0o600)
                try area.setOwner("private", uid: 5, gid: 5)
                try area.file("listed", "text", mode: 0o600)
                // user::rw-, user:7:r--, group::---, mask::r--, other::---
                let list: [UInt32] = [2, 0x6_0001, .max, 0x4_0002, 7, 0x0_0004, .max, 0x4_0010, .max, 0x0_0020, .max]
                let value = list.withUnsafeBytes { Array($0) }
                try area.root.setAttribute("system.posix_acl_access", of: "listed", value)
            }
            let finished = try bench.helper(
                "-o", bench.stack + ",uidmapping=0:100000:65536,gidmapping=0:100000:65536", bench.target)
            try expectMount(bench, finished) { merged throws in
                #expect(try asUser(100_005) { try merged.text("private") } == "secret")
                expectError(.EACCES) { try asUser(5) { _ = try merged.text("private") } }
                #expect(try asUser(100_007) { try merged.text("listed") } == "text")
                expectError(.EACCES) { try asUser(7) { _ = try merged.text("listed") } }
                let shown = try #require(try merged.root.attribute("system.posix_acl_access", of: "listed"))
                #expect(shown.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt32.self) } == 100_007)
                var changed = shown
                changed.withUnsafeMutableBytes { $0.storeBytes(of: 100_009, toByteOffset: 16, as: UInt32.self) }
                try merged.root.setAttribute("system.posix_acl_access", of: "listed", changed)
                #expect(try asUser(100_009) { try merged.text("listed") } == "text")
                expectError(.EACCES) { try asUser(100_007) { _ = try merged.text("listed") } }
            }
            let kept = try FileDescriptor.open(bench.path("upper"), [.directory])
                .attribute("system.posix_acl_access", of: "listed")
            #expect(kept?.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt32.self) } == 9)
        }
    }

    @Test("static_nlink, ino32_t and timeout")
    func numbers() throws {
        try withBench { bench throws in
            try Area.with(bench.path("lower")) { area throws in
                try area.directory("d")
                for name in ["x", "y"] { try area.directory("d/\(name)") }
            }
            let finished = try bench.helper("-o", bench.stack + ",static_nlink,ino32_t,timeout=0", bench.target)
            try expectMount(bench, finished) { merged throws in
                #expect(try merged.status("d").linkCount == 1)
                #expect(try merged.status("d").inode >> 32 == 0)
                #expect(try TreeSnapshot(of: merged.path).directoryFaults == [])
                // Nothing is kept: a change made behind the union's back shows.
                #expect(try merged.status("f").permissions == 0o644)
                try Area.with(bench.path("lower")) { try $0.setMode("f", 0o600) }
                #expect(try merged.status("f").permissions == 0o600)
            }
        }
    }
}
