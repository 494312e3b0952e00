import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// What the files of images and containers can do to the host through mounts, and who may look into the store.
    @Suite(.serialized) struct Protection {
        /// Runs a script as a user of the host's who has no rights at all.
        private func asNobody(_ script: String) throws -> Outcome {
            try Program.run(
                ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/sh", "-c", script])
        }

        /// A store with an image `danger` of a set-user-id `id` of the host's and a device node that everybody may open. The
        /// directories above the store can be entered by everybody.
        private func withDanger(_ body: (Strata, String) throws -> Void) throws {
            try Strata.testWithBusybox { strata in
                try Program.shell("chmod 711 '\(strata.scratch)'")
                let place = try strata.directory("place")
                try strata("mount", "--rw", "--name", "edit", "busybox", place)
                // What a mount does not honour can be made in it all the same.
                try Program.shell(
                    """
                    cd '\(place)'; cp "$(command -v id)" bin/rootid; chmod 4755 bin/rootid; mknod -m 666 dev/nothing c 1 3
                    """)
                #expect(try Program.run(["/bin/cat", "\(place)/dev/nothing"]).status != 0)
                try strata("umount", place)
                try strata("commit", "edit", "danger")
                try strata("rm", "edit")
                try body(strata, place)
            }
        }

        // MARK: Mounts

        @Test func aMountIsForTheUserWhoMadeIt() throws {
            try withDanger { strata, place in
                try strata("mount", "danger", place)
                #expect(try Program.shell("cat '\(place)/data/file'") == "from the image\n")
                for script in ["ls '\(place)'", "cat '\(place)/data/file'", "'\(place)/bin/rootid' -u"] {
                    let outcome = try asNobody(script)
                    #expect(outcome.status != 0 && outcome.output == "", "\(script): \(outcome)")
                }
                try strata("umount", place)
            }
        }

        @Test func whoeverIsLetInGetsNoRights() throws {
            try withDanger { strata, place in
                try strata("mount", "-o", "allow_other", "danger", place)
                #expect(try asNobody("cat '\(place)/data/file'").output == "from the image\n")
                #expect(try asNobody("'\(place)/bin/rootid' -u").output == "65534\n")
                #expect(try asNobody("cat '\(place)/dev/nothing'").status != 0)
                try strata("umount", place)
            }
        }

        @Test func rightsAreForWhoAsksForThem() throws {
            try withDanger { strata, place in
                try strata("mount", "-o", "suid,allow_other", "--options", "dev", "danger", place)
                #expect(try asNobody("'\(place)/bin/rootid' -u").output == "0\n")
                #expect(try asNobody("cat '\(place)/dev/nothing'").status == 0)
                try strata("umount", place)
                try strata("mount", "-o", "suid,nosuid,dev,allow_other", "danger", place)
                #expect(try asNobody("'\(place)/bin/rootid' -u").output == "65534\n")
                try strata("umount", place)
            }
        }

        @Test(arguments: ["frobnicate", "suid,,dev", "", "suid=1", "ro"])
        func anUnknownMountOptionIsAnError(_ list: String) throws {
            try Strata.testWithBusybox { strata in
                let place = try strata.directory("place")
                let message = try strata.failure(of: "mount", "-o", list, "busybox", place, status: 1)
                #expect(message.contains("unknown mount option"))
                #expect(try strata.mountPoints() == [])
            }
        }

        @Test func aRunningContainerIsShownWithoutRights() throws {
            try withDanger { strata, place in
                try strata("run", "-d", "--name", "live", "danger", "sleep", "1000")
                let message = try strata.failure(of: "mount", "live", place, status: 1)
                #expect(message.contains("-o allow_other"))
                #expect(try strata("mount") == "MOUNT POINT   SOURCE    MODE      LAYERS    CREATED")

                try strata("mount", "-o", "allow_other", "live", place)
                #expect(try asNobody("cat '\(place)/data/file'").output == "from the image\n")
                #expect(try asNobody("'\(place)/bin/rootid' -u").output == "65534\n")
                #expect(try asNobody("cat '\(place)/dev/nothing'").status != 0)
                try strata("umount", place)

                let hidden = try strata.directory("hidden/place")
                try Program.shell("chmod 700 '\(strata.scratch)/hidden'")
                try strata("mount", "live", hidden)
                #expect(try Program.shell("cat '\(hidden)/data/file'") == "from the image\n")
                #expect(try asNobody("cat '\(hidden)/data/file'").status != 0)
                try strata("umount", "live")
                try strata("rm", "-f", "live")
            }
        }

        // MARK: Containers

        @Test func aContainersFilesAreOutOfReachOnTheHost() throws {
            try withDanger { strata, place in
                try strata("run", "-d", "--name", "live", "danger", "sleep", "1000")
                let rootfs = try #require(try strata.mountPoints().first { $0.hasSuffix("/rootfs") })
                let scripts = [
                    "ls '\(rootfs)'", "cat '\(rootfs)/data/file'", "'\(rootfs)/bin/rootid' -u", "ls '\(strata.root)'",
                    "ls '\(strata.root)/containers'", "ls '\(strata.root)/layers'",
                    "cat '\(strata.root)/catalog.sqlite'",
                ]
                func expectClosed() throws {
                    for script in scripts {
                        let outcome = try asNobody(script)
                        #expect(outcome.status != 0 && outcome.output == "", "\(script): \(outcome)")
                    }
                }
                try expectClosed()
                // One mistake opens nothing, and the next command sets it right.
                try Program.shell("chmod 777 '\(strata.root)'")
                #expect(try asNobody("cat '\(rootfs)/data/file'").status != 0)
                #expect(try asNobody("cat '\(strata.root)/catalog.sqlite'").status != 0)
                try strata("ps")
                #expect(try Program.shell("stat -c %a '\(strata.root)'") == "700\n")
                try expectClosed()
                try strata("rm", "-f", "live")
            }
        }

        @Test func inAContainerSetIDsAndUsersWorkAsTheyShould() throws {
            try withDanger { strata, place in
                let script = "cat /data/file; id -u; grep ' / ' /proc/mounts; cat /dev/null && echo opened"
                let outcome = try strata.run(["run", "--rm", "-u", "65534", "danger", "sh", "-c", script])
                #expect(outcome.lines.prefix(2) == ["from the image", "65534"])
                #expect(outcome.lines.last == "opened")
                #expect(!outcome.output.contains("nosuid") && !outcome.output.contains("nodev"), "\(outcome)")
                #expect(
                    try strata("run", "--rm", "danger", "sh", "-c", "mknod /null c 1 3 && echo x > /null; echo $?")
                        == "0")
                #expect(try strata("run", "--rm", "danger", "stat", "-c", "%a", "/bin/rootid") == "4755")
            }
        }

        // MARK: The umask

        /// What an image of all sorts of instructions holds, and what a container of it sees, is the same whatever the
        /// caller's umask is, and the store is closed.
        @Test func theCallersMaskIsHisOwn() throws {
            var seen: [[String]] = []
            for mask in ["022", "000", "077"] {
                try Strata.test { strata in
                    seen.append(try look(strata, mask: mask))
                }
            }
            #expect(seen[1] == seen[0])
            #expect(seen[2] == seen[0])
        }

        private func look(_ strata: Strata, mask: String) throws -> [String] {
            let context = try strata.directory("context")
            try strata.write("text\n", to: "context/dir/file")
            try strata.write(
                """
                FROM busybox
                WORKDIR /made/by/workdir
                COPY dir copied/below/
                ADD dir/file /added/file
                RUN --mount=type=cache,target=/cache --mount=type=bind,target=/context \\
                    echo x > /run-file; mkdir /run-dir; umask > /run-mask; stat -c '%a' /cache /context >> /run-mask
                RUN --mount=type=secret,id=s,mode=0444 cat /run/secrets/s > /secret
                USER app
                RUN id -u > /tmp/user; cat /etc/hosts /etc/resolv.conf > /dev/null
                VOLUME /volume
                CMD ["sh"]
                """, to: "context/Dockerfile")
            try strata.write("secret\n", to: "secret")
            try Program.shell("chmod -R a+rX '\(context)'")
            let archive = try Busybox.archive()
            func masked(_ arguments: String) throws -> String {
                try Program.shell(
                    "umask \(mask); export STRATA_ROOT='\(strata.root)'; '\(try Strata.binary())' \(arguments)")
            }
            var seen: [String] = []
            _ = try masked("import -c 'CMD [\"/bin/sh\"]' '\(archive)' busybox")
            _ = try masked("build -q -t app --secret id=s,src='\(strata.scratch)/secret' '\(context)'")
            let script =
                "umask; cat /run-mask; stat -c \"%n %a %u\" / /etc/hosts /etc/resolv.conf /volume /named /run-dir"
            seen += [try masked("run --rm -v named:/named app sh -c '\(script)'")]
            _ = try masked("run -d --name live app sleep 1000")
            seen += [try masked("exec live sh -c 'umask; touch /tmp/exec; stat -c %a /tmp/exec'")]
            #expect(try closed(strata), "with umask \(mask)")
            _ = try masked("rm -f live")
            let place = try strata.directory("place")
            _ = try masked("mount app '\(place)'")
            seen += [try Program.shell("cd '\(place)'; find . -printf '%P %y %m %U %G\\n' | sort")]
            _ = try masked("umount '\(place)'")
            _ = try masked("volume rm named")
            return seen
        }

        /// Whether nothing of the store is open to others but what lies below directories that are not.
        private func closed(_ strata: Strata) throws -> Bool {
            let open = try Program.shell(
                """
                cd '\(strata.root)'; find . -maxdepth 1 -perm /077; find containers -maxdepth 1 -perm /077
                """)
            #expect(open == "")
            return open == ""
        }
    }
}
