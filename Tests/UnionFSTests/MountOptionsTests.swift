import FUSE
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

    @Test func `who may enter is the mounter's default unless it is said`() throws {
        #expect(try MountOptions(["m", "-o", "lowerdir=a"]).allowsOthers == nil)
        #expect(try MountOptions(["m", "-o", "lowerdir=a,noallow_other,allow_other"]).allowsOthers == true)
        #expect(try MountOptions(["m", "-o", "lowerdir=a,allow_other,noallow_other"]).allowsOthers == false)
    }

    @Test func `handles can be opened where that is asked for`() throws {
        #expect(try !MountOptions(["m", "-o", "lowerdir=a"]).isExported)
        #expect(try MountOptions(["m", "-o", "lowerdir=a,nfs_export=on"]).isExported)
    }

    @Test func `escapes and quotes`() throws {
        let options = try MountOptions([
            "m", "-o", #"lowerdir=/a\:b:/c\,d:/e\\f,context="system_u:object_r:container_t:s0:c1,c2",fsname=x"#,
        ])
        #expect(options.configuration.lower == ["/a:b", "/c,d", #"/e\f"#])
        #expect(options.source == "x")
    }

    @Test func `directories whose files are shared`() throws {
        #expect(try MountOptions(["m", "-o", "lowerdir=a"]).configuration.sharedDirectories == .standard)
        let options = try MountOptions(["m", "-o", #"lowerdir=a,shared_dirs=usr:mod*:a\:b"#])
        #expect(options.configuration.sharedDirectories == SharedDirectories(["usr", "mod*", "a:b"]))
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
            (["m", "-o", "lowerdir=a,uidmapping=0:1"], "uidmapping"), (["m", "-o", "lowerdir=a::"], "lowerdir"),
            (["m", "-o", "lowerdir=a,gidmapping=0:x:1"], "gidmapping"),
            (["m", "-o", "lowerdir=a,uidmapping=0:4294967295:2"], "uidmapping"),
            (["m", "-o", "lowerdir=a,squash_to_uid"], "squash_to_uid"),
            (["m", "-o", "lowerdir=a,plugins=x.so"], "plugins"), (["m", "-o", "lowerdir=//p//a"], "plugin"),
            (["m", "-o", "lowerdir=a,xino=maybe"], "xino"), (["m", "-o", "lowerdir=a,timeout=soon"], "timeout"),
            (["m", "-o", "lowerdir=a,max_write=big"], "max_write"), (["m", "-o", "lowerdir=a,verity=on"], "verity"),
            (["m", "-o", "lowerdir=a,passthrough=perhaps"], "passthrough"),
            (["m", "-o", "lowerdir=a,nfs_export=perhaps"], "nfs_export"),
            (["m", "-o", "lowerdir=a,nfs_export"], "nfs_export"),
        ] as [([String], String)])
    func `what is wrong is named`(arguments: [String], part: String) {
        #expect { try MountOptions(arguments) } throws: { "\($0)".contains(part) }
    }

    @Test func `every option that container engines and fuse-overlayfs know`() throws {
        let known = [
            "nodev,fsync=0,metacopy=on,redirect_dir=off,index=off,xino=auto,uuid=null,nfs_export=off,userxattr",
            "threaded=1,clone_fd,fast_ino=1,writeback=0,noxattrs=0,timeout=0.5,context=\"a:b:c,d\",noacl,static_nlink",
            "default_permissions,allow_other,suid,dev,noatime,ro,kernel_cache,splice_read,splice_write,splice_move",
            "uidmapping=0:1000:1:1:110000:65536,gidmapping=:0:1000:1,squash_to_root,squash_to_uid=7,squash_to_gid=8",
            "max_write=131072,max_read=131072,ino32_t,xattr_permissions=0,plugins=,lazytime,relatime,x-gvfs-hide,sync=1",
        ]
        for list in known { #expect(throws: Never.self) { try MountOptions(["m", "-o", "lowerdir=a,\(list)"]) } }
        let options = try MountOptions(["m", "-o", "lowerdir=a,\(known.joined(separator: ","))"])
        #expect(options.configuration.timeout == Timeout(seconds: 0, nanoseconds: 500_000_000))
        #expect(options.maxWrite == 131072 && options.mountOptions.contains("max_read=131072"))
        #expect(options.securityContexts == ["context=a:b:c,d"])
        #expect(
            options.configuration.owners.users.shown(3) == 7 && options.configuration.owners.users.inLayer(1000) == 0)
    }

    @Test func `help and version`() throws {
        #expect(try MountOptions(["--help"]).action == .help)
        #expect(try MountOptions(["-V"]).action == .version)
    }
}
