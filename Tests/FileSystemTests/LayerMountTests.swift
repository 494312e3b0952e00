import Glibc
import Linux
import Testing

/// How a union holds on to what its layers lie on: as the kernel's overlay does, by a mount of its own.
@Suite struct LayerMountTests {
    static let servers: [MountedUnion.Server] = [.strata, .kernel]

    /// A file system of its own with a directory for each name.
    private func withDisk(
        _ names: String..., body: (String) throws -> Void
    ) throws {
        try withScratch { scratch in
            let disk = try makeDirectory(scratch.appending("disk"))
            try Mount.mount(source: "strata-disk", target: disk, type: "tmpfs", options: "size=16m")
            defer { while (try? Mount.unmount(disk, flags: [.detach, .noFollow])) != nil {} }
            for name in names { try makeDirectory(disk.appending(name)) }
            try body(disk)
        }
    }

    @Test("what the layers lie on can be unmounted in the moment after the union", arguments: servers, 1...10)
    func unmountBelow(server: MountedUnion.Server, round: Int) throws {
        try withDisk("lower", "scratch") { disk in
            try Area.with(disk.appending("lower")) { area throws in
                for number in 0..<20 { try area.file("f\(number)", String(repeating: "lower", count: 4000)) }
            }
            let union = try MountedUnion(
                server, in: disk.appending("scratch"), lower: [disk.appending("lower")], writable: true, options: [])
            try union.mount()
            try Area.with(union.target) { area throws in
                // Files that are read, copied up and written: the kernel keeps some of them open for us.
                for number in 0..<20 { #expect(try area.text("f\(number)").utf8.count == 20_000) }
                for number in 0..<10 { try area.append("f\(number)", "more") }
                try area.file("new")
            }
            // The mount point is on that file system too; both go in one breath.
            try Mount.unmount(union.target)
            try Mount.unmount(disk)
            try union.reap()
        }
    }

    @Test("what a lower layer lies on can be unmounted while the union is there", arguments: servers)
    func unmountMeanwhile(server: MountedUnion.Server) throws {
        try withDisk("lower") { disk in
            let lower = disk.appending("lower")
            try Area.with(lower) { area throws in
                try area.file("f", String(repeating: "lower", count: 4000))
                try area.directory("d")
                try area.file("d/g", "deep")
            }
            try withUnion(server, below: [lower]) { union throws in
                try Mount.unmount(disk)
                try Area.with(union.target) { area throws in
                    #expect(try area.text("f").utf8.count == 20_000)
                    #expect(try area.names("d") == ["g"])
                    try area.append("d/g", "er")
                    #expect(try area.text("d/g") == "deeper")
                }
            }
        }
    }

    @Test("what is mounted on a directory of a layer is not part of the layer", arguments: servers)
    func mountsBelow(server: MountedUnion.Server) throws {
        try withDisk("before", "after", "before/mounted", "after/mounted") { disk in
            for name in ["before", "after"] {
                try Area.with(disk) { area throws in try area.file("\(name)/mounted/own", "of the layer") }
            }
            func cover(_ name: String) throws {
                let point = disk.appending("\(name)/mounted")
                try Mount.mount(source: "strata-cover", target: point, type: "tmpfs", options: "size=1m")
                try Area.with(point) { try $0.file("foreign") }
            }
            defer {
                for name in ["before", "after"] {
                    try? Mount.unmount(disk.appending("\(name)/mounted"), flags: [.detach, .noFollow])
                }
            }
            try cover("before")
            try withUnion(server, below: [disk.appending("before"), disk.appending("after")]) { union throws in
                try cover("after")
                try Area.with(union.target) { area throws in
                    #expect(try area.names("mounted") == ["own"])
                    #expect(try area.text("mounted/own") == "of the layer")
                    try area.append("mounted/own", "!")
                    try area.rename("mounted", "renamed")
                    #expect(try area.names("renamed") == ["own"])
                }
            }
        }
    }

    @Test("reading through the union leaves the access times of a lower layer alone", arguments: servers)
    func accessTimes(server: MountedUnion.Server) throws {
        try withDisk("lower") { disk in
            let lower = disk.appending("lower")
            let old = TimeSpec(seconds: 1_000_000_000, nanoseconds: 5)
            try Area.with(lower) { area throws in
                try area.directory("d")
                // One that is read by way of the mount's own cache, and one that the kernel reads by itself.
                for (name, count) in [("small", 10), ("large", 4000)] {
                    try area.file(name, String(repeating: "lower", count: count))
                    try area.root.setTimes(of: name, access: old, modification: old)
                }
                try area.symlink("l", to: "large")
                for name in ["l", "d"] { try area.root.setTimes(of: name, access: old, modification: old) }
            }
            try withUnion(server, below: [lower]) { union throws in
                try Area.with(union.target) { area throws in
                    #expect(try area.text("small").utf8.count == 50)
                    #expect(try area.text("l").utf8.count == 20_000)
                    #expect(try area.target("l") == "large")
                    #expect(try area.names("d") == [])
                }
            }
            try Area.with(lower) { area throws in
                for name in ["small", "large", "l", "d"] {
                    #expect(try area.status(name).accessTime == old, "\(name)")
                }
            }
        }
    }

    @Test("an upper and a work directory on two mounts of one file system are refused, as nothing could move between")
    func twoMounts() throws {
        try withBench { bench in
            let other = try makeDirectory(bench.path("other"))
            try Mount.mount(source: bench.scratch, target: other, flags: .bind)
            defer { try? Mount.unmount(other, flags: [.detach, .noFollow]) }
            let options = "lowerdir=\(bench.path("lower")),upperdir=\(bench.path("upper")),workdir=\(other)/work"
            try expectRefusal(
                bench, try bench.helper("-o", options, bench.target), saying: "\(other)/work", "same mount")
            let finished = try runProgram(["mount", "-t", "overlay", "overlay", "-o", options, bench.target])
            #expect(finished.status != 0, "the kernel's overlay takes them")
        }
    }
}
