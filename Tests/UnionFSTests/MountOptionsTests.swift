import Testing

@testable import UnionFS

/// The command line, as people and container engines write it.
@Suite struct MountOptionsTests {
    @Test func `the usual form`() throws {
        let options = try MountOptions(["/m", "-o", "lowerdir=/a:/b,upperdir=/u,workdir=/w"])
        #expect(options.mountPoint == "/m")
        #expect(options.configuration.lower == ["/a", "/b"])
        #expect(options.configuration.upper == "/u" && options.configuration.work == "/w")
        #expect(!options.configuration.isReadOnly && !options.isForeground)
    }

    @Test func `as mount and container engines call it`() throws {
        let options = try MountOptions([
            "overlay", "/m", "-f", "-o", "rw,dev,suid", "-olowerdir=l/X:l/Y", "-o",
            "upperdir=u,workdir=w,volatile,nodev,metacopy=on,redirect_dir=on,index=off,xino=auto",
        ])
        #expect(options.source == "overlay" && options.mountPoint == "/m" && options.isForeground)
        #expect(options.configuration.lower == ["l/X", "l/Y"] && options.configuration.isVolatile)
        #expect(options.mountOptions == ["rw", "dev", "suid", "nodev"])
    }

    @Test func `escapes and quotes`() throws {
        let options = try MountOptions([
            "m", "-o", #"lowerdir=/a\:b:/c\,d:/e\\f,context="system_u:object_r:container_t:s0:c1,c2",fsname=x"#,
        ])
        #expect(options.configuration.lower == ["/a:b", "/c,d", #"/e\f"#])
        #expect(options.source == "x")
    }

    @Test func `without an upper directory the mount is read-only`() throws {
        #expect(try MountOptions(["m", "-o", "lowerdir=a"]).configuration.isReadOnly)
        #expect(try MountOptions(["m", "-o", "lowerdir=a,upperdir=u,workdir=w,ro"]).configuration.isReadOnly)
    }

    @Test(
        arguments: [
            (["m"], "lowerdir"), (["-o", "lowerdir=a"], "mount point"), (["m", "-o", "lowerdir="], "lowerdir"),
            (["m", "-o", "lowerdir=a,upperdir=u"], "workdir"), (["m", "-o", "lowerdir=a,frobnicate=1"], "frobnicate"),
            (["m", "--frobnicate"], "--frobnicate"), (["m", "-o"], "-o"), (["s", "m", "x", "-o", "lowerdir=a"], "x"),
            (["m", "-o", "lowerdir=a,uidmapping=0:1:2"], "uidmapping"), (["m", "-o", "lowerdir=a::b"], "lowerdir"),
            (["m", "-o", "lowerdir=a,squash_to_root"], "squash_to_root"),
        ] as [([String], String)])
    func `what is wrong is named`(arguments: [String], part: String) {
        #expect { try MountOptions(arguments) } throws: { "\($0)".contains(part) }
    }

    @Test func `help and version`() throws {
        #expect(try MountOptions(["--help"]).action == .help)
        #expect(try MountOptions(["-V"]).action == .version)
    }
}
