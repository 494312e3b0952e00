import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// `mount`, `umount`
    @Suite(.serialized) struct MountCommands {
        @Test func anImageIsADirectory() throws {
            try Strata.testWithBusybox { strata in
                let place = try strata.directory("place")
                #expect(try strata("mount", "busybox", place) == "")
                #expect(try Program.shell("cat '\(place)/data/file'") == "from the image\n")
                #expect(try Program.run(["/bin/touch", "\(place)/new"]).status == 1)
                #expect(
                    try strata("mount", "--format", "{{.MountPoint}} {{.Source}} {{.Mode}}")
                        == "\(place) busybox:latest ro")
                let busy = try strata.failure(of: "mount", "busybox", place, status: 1)
                #expect(busy.contains("mount point already"))
                try strata.failure(of: "rmi", "-f", "busybox", status: 1)
                #expect(try strata("umount", place) == "")
                #expect(try Program.shell("ls '\(place)'") == "")
                try strata.failure(of: "umount", place, status: 1)
            }
        }

        @Test func aWritableMountBecomesAnImage() throws {
            try Strata.testWithBusybox { strata in
                let place = try strata.directory("place")
                let name = try strata("mount", "--rw", "--name", "edit", "busybox", place)
                #expect(name == "edit")
                try Program.shell(
                    "cd '\(place)'; echo edited >> data/file; mkdir -p new/dir; ln data/file new/link; mv etc conf; rm bin/vi"
                )
                #expect(try strata("mount", "--format", "{{.Source}} {{.Mode}}") == "edit rw")
                try strata.failure(of: "start", "edit", status: 1)
                try strata.failure(of: "rm", "edit", status: 1)
                try strata("umount", "edit")
                let id = try strata("commit", "-m", "edited by hand", "edit", "edited")
                #expect(id.hasPrefix("sha256:"))
                let seen = try strata(
                    "run", "--rm", "edited", "sh", "-c", "cat /new/link; stat -c %h /data/file; wc -l < /conf/group")
                #expect(seen.hasPrefix("from the image\nedited\n2\n2"))
                #expect(try strata.run(["run", "--rm", "edited", "ls", "/bin/vi"]).status == 1)
                #expect(try strata("run", "--rm", "busybox", "ls", "/etc/group", "/bin/vi") == "/bin/vi\n/etc/group")
            }
        }

        @Test("A mount in use stays, and is detached when that is asked for", arguments: ["-l", "--force"])
        func mountInUse(_ flag: String) throws {
            try Strata.testWithBusybox { strata in
                let place = try strata.directory("place")
                try strata("mount", "busybox", place)
                let open = try FileDescriptor.open(place + "/data/file")
                let message = try strata.failure(of: "umount", place, status: 1)
                #expect(message.contains("in use") && message.contains("--lazy"), "\(message)")
                #expect(try strata("mount", "--format", "{{.MountPoint}}") == place)
                #expect(try Program.shell("cat '\(place)/data/file'") == "from the image\n")
                try strata("umount", flag, place)
                #expect(try strata("mount", "--format", "{{.MountPoint}}") == "")
                #expect(try Program.shell("ls '\(place)'") == "")
                #expect(String(decoding: try open.readAll(), as: UTF8.self) == "from the image\n")
            }
        }

        @Test func aContainerIsADirectoryToo() throws {
            try Strata.testWithBusybox { strata in
                let place = try strata.directory("place")
                try strata("create", "--name", "box", "busybox", "cat", "/note")
                try strata("mount", "box", place)
                try Program.shell("echo written on the host > '\(place)/note'")
                try strata("umount", place)
                #expect(try strata("start", "-a", "box") == "written on the host")
                try strata("run", "-d", "--name", "live", "busybox", "sh", "-c", "echo inside > /note; sleep 1000")
                try strata("mount", "live", place)
                try waitUntil { try Program.run(["/bin/cat", "\(place)/note"]).output == "inside\n" }
                #expect(try Program.shell("cat '\(place)/note'") == "inside\n")
                try strata("umount", "live")
                try strata("rm", "-f", "live")
            }
        }
    }
}
