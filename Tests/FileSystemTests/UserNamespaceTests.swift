import Glibc
import Linux
import TestSupport
import Testing

/// Mounts without rights over the machine.
@Suite struct UserNamespaceTests {
    @Test("a program in a user namespace is root of it, and of nothing else")
    func identity() throws {
        let finished = try UserNamespace.run(
            ["sh", "-c", "id -u; test -w /dev/fuse && mknod /var/tmp/x-$$ c 1 3 2>&1 | grep -o permitted"])
        #expect(finished.status == 0 && finished.output == "0\npermitted\n", "\(finished.output)")
    }

    @Test("a union in a user namespace")
    func union() throws {
        let finished = try UserNamespace.runTests(matching: "RootlessUnionTests")
        #expect(finished.status == 0 && finished.output.contains("passed"), "\(finished.output)")
        #expect(!finished.output.contains("skipped") && !finished.output.contains("0 tests"), "\(finished.output)")
    }

    @Test("a user without any right mounts with fusermount3")
    func setUserIDHelper() throws {
        try withScratch { scratch throws in
            // fusermount3 wants somebody with a name: daemon.
            let user: UInt32 = 1
            let home = try makeDirectory(scratch.appending("home"))
            try FileDescriptor.currentDirectory.setOwner(of: home, uid: user, gid: user)
            try FileDescriptor.currentDirectory.makeNode(
                scratch.appending("fuse"), mode: S_IFCHR, device: DeviceNumber(major: 10, minor: 229).rawValue)
            try FileDescriptor.currentDirectory.setMode(of: scratch.appending("fuse"), 0o666)
            // Wherever this was built, everybody can run a copy.
            let helper = scratch.appending("strata-fuse")
            do {
                let copy = try FileDescriptor.open(helper, [.create, .writeOnly], mode: 0o755)
                try copy.writeAll(try FileDescriptor.open(try MountHelper.path()).readAll())
            }
            let script = """
                set -e
                mkdir -p lower/directory upper work/work/locked/inner merged
                echo lower > lower/file; echo gone > lower/gone; echo inner > lower/directory/inner
                ln lower/file lower/name; touch work/work/locked/inner/leftover; chmod 0 work/work/locked/inner work/work/locked
                \(helper) -o lowerdir=lower,upperdir=upper,workdir=work merged
                echo upper >> merged/file; cat merged/name; rm merged/gone; mv merged/directory merged/moved
                chmod 640 merged/moved/inner; stat -c %h merged/name; ls merged; ls -A work/work
                fusermount3 -u merged
                \(helper) -o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged
                cat merged/name merged/moved/inner; stat -c '%h %a' merged/name merged/moved/inner; ls merged
                fusermount3 -u merged
                """
            let enter =
                "mount --bind '\(scratch)/fuse' /dev/fuse && cd '\(home)' && "
                + "exec setpriv --reuid=\(user) --regid=\(user) --clear-groups sh -c \"$0\""
            let finished = try runProgram(["unshare", "--mount", "--propagation", "private", "sh", "-c", enter, script])
            #expect(finished.status == 0)
            let expected = """
                lower\nupper\n2\nfile\nmoved\nname\nwhiteout
                lower\nupper\ninner\n2 644\n1 640\nfile\nmoved\nname

                """
            #expect(finished.output == expected, "\(finished.output)")
            try Area.with(home) { area throws in
                #expect(try area.status("upper/gone").isWhiteout)
                #expect(try area.status("upper/file").uid == user)
                #expect(try area.text("lower/file") == "lower\n")
            }
        }
    }
}

/// What a union is to do in a user namespace, where these run a second time: see `UserNamespaceTests`.
@Suite struct RootlessUnionTests {
    @Test("the kernel's overlay sees the same tree in what was written")
    func kernelFormat() throws {
        try withUnion(layers: [
            {
                for name in ["gone", "kept", "changed", "replaced"] { try $0.file(name) }
                for name in ["merged", "removed", "again"] {
                    try $0.directory(name)
                    try $0.file(name + "/low")
                }
                try $0.setOwner("changed", uid: 5, gid: 6)
            }
        ]) { union throws in
            try Area.with(union.target) { area throws in
                try area.remove("gone")
                try area.append("changed", "!")
                try area.setMode("changed", 0o4750)
                try area.root.setAttribute("user.mine", of: "changed", [1, 2])
                try area.root.setAttribute("user.overlay.mine", of: "changed", [3])
                try area.remove("replaced")
                try area.directory("replaced")
                try area.file("merged/high")
                try area.remove("merged/low")
                try area.root.removeTree("removed")
                try area.root.removeTree("again")
                try area.directory("again")
                try area.file("again/new")
                try area.symlink("link", to: "changed")
                try area.root.makeNode("pipe", mode: S_IFIFO | 0o640)
                try area.setOwner("pipe", uid: 100, gid: 200)
            }
            let ours = try TreeSnapshot(of: union.target)
            #expect(ours.directoryFaults == [])
            #expect(
                ours.entries.keys.sorted() == [
                    ".", "again", "again/new", "changed", "kept", "link", "merged", "merged/high", "pipe", "replaced",
                ])
            try union.remount()
            let later = try TreeSnapshot(of: union.target)
            #expect(ours.differences(to: later) == [] && later.changedInodes(since: ours) == [])
            try union.unmount()
            let upper = try #require(union.upper)
            let options = "lowerdir=\(union.lower[0]),upperdir=\(upper),workdir=\(union.work)"
            try Mount.mount(
                source: "overlay", target: union.target, type: "overlay",
                options: options + (UserNamespace.isInside ? ",userxattr" : ",metacopy=on,redirect_dir=on"))
            do {
                defer { try? Mount.unmount(union.target) }
                #expect(ours.differences(to: try TreeSnapshot(of: union.target)) == [])
            }
            try union.mount()
        }
    }

    @Test("hard links stay hard links, across remounts")
    func hardLinks() throws {
        try withUnion(layers: [
            {
                try $0.file("a")
                for name in ["b", "c"] { try $0.link(name, to: "a") }
            }
        ]) { union throws in
            let inode = try Area.with(union.target) { area throws in
                try area.append("b", "!")
                try area.remove("c")
                return try area.status("a").inode
            }
            for _ in 0..<2 {
                try Area.with(union.target) { area throws in
                    for name in ["a", "b"] {
                        #expect(try area.text(name) == "text!")
                        #expect(try area.status(name).linkCount == 2 && area.status(name).inode == inode)
                    }
                }
                try union.remount()
            }
        }
    }

    @Test("a renamed lower directory is whole after a remount")
    func redirect() throws {
        try withUnion(layers: [
            {
                try $0.directory("d")
                try $0.file("d/f")
            },
            {
                try $0.directory("d"); try $0.file("d/g")
            },
        ]) { union throws in
            try Area.with(union.target) { try $0.rename("d", "e") }
            for _ in 0..<2 {
                #expect(try Area.with(union.target) { try $0.names("e") + $0.names() } == ["f", "g", "e"])
                try union.remount()
            }
        }
    }

    @Test("large files, mapped and read and written at once")
    func data() throws {
        let size = 5 << 20
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 7) }
        try withUnion(layers: [{ try $0.open("low", [.create, .writeOnly]).writeAll(bytes) }]) { union throws in
            try Area.with(union.target) { area throws in
                #expect(try area.open("low").readAll() == bytes)
                try area.open("new", [.create, .writeOnly]).writeAll(bytes)
                #expect(try area.open("new").readAll() == bytes)
                let file = try area.open("low", .readWrite)
                let mapping = try Mapping(file, length: size, writable: true, shared: true)
                mapping.store("mapped", at: 100)
                try mapping.sync()
                #expect(try area.open("low").text(at: 100, count: 6) == "mapped")
                try file.write("written", at: 4096)
                #expect(try area.open("low").text(at: 4096, count: 7) == "written")
            }
        }
    }
}
