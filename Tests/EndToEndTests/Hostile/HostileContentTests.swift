import TestSupport
import Testing

extension EndToEnd {
    /// What containers and images write, under whatever names, reads nothing of the host's and hides nothing.
    @Suite(.serialized) struct HostileContent {
        @Test(arguments: Loot.scripts, ["root", "nobody"])
        func `a RUN step does not reach the host`(_ script: String, _ user: String) throws {
            try Strata.testWithBusybox { strata in
                let loot = try Loot(strata)
                try strata.write(
                    """
                    FROM marker
                    RUN echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd
                    USER \(user)
                    RUN \(loot.filled(script))
                    RUN cat /tmp/loot/file /tmp/loot/sub/deep; find /tmp/loot; true
                    """, to: "context/Dockerfile")
                let outcome = try strata.run(["build", "--progress=plain", "-t", "looted", "\(strata.scratch)/context"])
                #expect(outcome.status == 0, "\(outcome)")
                #expect(!outcome.errors.contains(Loot.canary), "\(outcome)")
                try loot.expectNothing(in: "looted")
            }
        }

        @Test(arguments: Loot.scripts)
        func `a container does not reach the host, whenever it is committed`(_ script: String) throws {
            try Strata.testWithBusybox { strata in
                let loot = try Loot(strata)
                try strata(
                    "run", "-d", "--name", "looter", "-u", "65534", "marker", "sh", "-c",
                    "\(loot.filled(script)); touch /tmp/ready; sleep 1000")
                try waitUntil { try strata.run(["exec", "looter", "test", "-e", "/tmp/ready"]).status == 0 }
                try strata("commit", "looter", "running")
                try strata("stop", "-t", "0", "looter")
                let changes = try strata("diff", "looter")
                #expect(!changes.contains("deep") && !changes.contains(loot.secret), "\(changes)")
                try strata("commit", "looter", "stopped")
                for image in ["running", "stopped"] { try loot.expectNothing(in: image) }
                try strata("rm", "looter")
            }
        }

        @Test func `a writable mount does not lead out, whatever root writes through it`() throws {
            try Strata.testWithBusybox { strata in
                let loot = try Loot(strata)
                let place = try strata.directory("place")
                for (number, prefix) in ["user.overlay.", "trusted.overlay.", "trusted.overlay.overlay."].enumerated() {
                    try strata("mount", "--rw", "--name", "edit\(number)", "marker", place)
                    try Program.shell(
                        """
                        cd '\(place)'; mkdir tmp/loot tmp/loot/x; touch tmp/loot/file
                        setfattr -n \(prefix)redirect -v '\(loot.secret)' tmp/loot
                        setfattr -n \(prefix)redirect -v '\(loot.upwards)' tmp/loot/x
                        setfattr -n \(prefix)metacopy tmp/loot/file
                        setfattr -n \(prefix)redirect -v '\(loot.secret)/file' tmp/loot/file
                        setfattr -n \(prefix)opaque -v y lower
                        test "$(getfattr --only-values -n \(prefix)opaque lower)" = y
                        """)
                    try strata("umount", place)
                    #expect(try !strata("diff", "edit\(number)").contains("deep"))
                    try strata("commit", "edit\(number)", "edited\(number)")
                    try loot.expectNothing(in: "edited\(number)")
                    #expect(try strata("run", "--rm", "edited\(number)", "cat", "/lower/file") == "kept")
                    try strata("rm", "edit\(number)")
                }
            }
        }

        @Test func `marks that hide are data in every way into an image`() throws {
            try Strata.testWithBusybox { strata in
                let loot = try Loot(strata)
                let marks = ["user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque"]
                let set = marks.map { "setfattr -n \($0) -v y lower" }.joined(separator: "; ")
                try strata.write(
                    """
                    FROM marker AS copied
                    COPY . /
                    FROM marker AS added
                    ADD lower.tar /
                    FROM copied AS again
                    COPY --from=added /lower /lower
                    RUN mark user.overlay.opaque y /lower; mark user.fuseoverlayfs.opaque y /lower; echo more > /lower/more
                    """, to: "context/Dockerfile")
                try Program.shell(
                    """
                    cd '\(strata.scratch)/context'; mkdir lower; echo new > lower/new; \(set)
                    tar --xattrs --xattrs-include='*' -cf lower.tar lower
                    """)
                for target in ["copied", "added", "again"] {
                    try strata("build", "-q", "--target", target, "-t", target, "\(strata.scratch)/context")
                    #expect(try strata("run", "--rm", target, "cat", "/lower/file", "/lower/new") == "kept\nnew")
                }
                // After a save and a load elsewhere as well, and with the attributes that there were.
                try strata("save", "-o", "\(strata.scratch)/again.tar", "again")
                let other = strata.scratch + "/other"
                try strata("--root", other, "load", "-i", "\(strata.scratch)/again.tar")
                let place = try strata.directory("place")
                for root in [strata.root, other] {
                    try strata("--root", root, "mount", "again", place)
                    #expect(try Program.shell("cd '\(place)'; ls lower") == "file\nmore\nnew\n")
                    let found = try Program.shell("cd '\(place)'; getfattr -m - --only-values lower | wc -c")
                    #expect(found == "3\n", "three attributes with the value y")
                    try strata("--root", root, "umount", place)
                }
                try loot.expectNothing(in: "again")
            }
        }

        @Test func `names that mean whiteouts are refused with one line and hide nothing`() throws {
            try Strata.testWithBusybox { strata in
                _ = try Loot(strata)
                try Program.shell(
                    """
                    mkdir '\(strata.scratch)/context'; cd '\(strata.scratch)/context'; mkdir lower
                    touch lower/.wh.file lower/.wh..wh..opq; tar -cf bad.tar lower
                    """)
                let steps = [
                    "COPY lower /lower", "ADD bad.tar /", "COPY lower/.wh.file /lower/", "WORKDIR /.wh.lower",
                    "COPY bad.tar /.wh.lower", "COPY bad.tar /.wh.lower/x",
                ]
                for step in steps {
                    try strata.write("FROM marker\n\(step)\n", to: "context/Dockerfile")
                    let outcome = try strata.run(["build", "-q", "-t", "bad", "\(strata.scratch)/context"])
                    #expect(outcome.status != 0, "\(step): \(outcome)")
                    #expect(outcome.errors.contains(".wh."), "\(step): \(outcome)")
                }
                try strata.write(
                    "FROM marker\nRUN ! touch /lower/.wh.file; ! mkdir /lower/.wh.d; ! mknod /x c 0 0; cat /lower/file\n",
                    to: "context/Dockerfile")
                try strata("build", "-q", "-t", "good", "\(strata.scratch)/context")
            }
        }

        @Test func `a cache mount brings nothing of the host's into a cache of another store`() throws {
            try Strata.testWithBusybox { strata in
                let loot = try Loot(strata)
                try strata.write(
                    """
                    FROM marker
                    RUN --mount=type=cache,target=/cache \\
                        S=\(loot.secret); cd /cache; mkdir d; mark user.overlay.redirect $S d; mark user.overlay.opaque y d; \\
                        touch file; mark user.overlay.metacopy '' file; mark user.overlay.redirect $S/file file
                    """, to: "context/Dockerfile")
                let cache = strata.scratch + "/cache"
                try strata(
                    "build", "-q", "-t", "cached", "--cache-to", "type=local,dest=\(cache),mounts=true",
                    "\(strata.scratch)/context")
                #expect(try Program.shell("grep -rl \(Loot.canary) '\(cache)' '\(strata.root)' || true") == "")
            }
        }

        @Test func `a store without root's rights keeps its notes where programs cannot write them`() throws {
            try Strata.test { strata in
                let secret = try strata.directory("secret")
                try strata.write(Loot.canary, to: "secret/file")
                let place = try strata.directory("place")
                let archive = try Busybox.archive()
                let output = try Program.shell(
                    """
                    export STRATA_ROOT='\(strata.root)' PATH="$(dirname '\(try Strata.binary())'):$PATH"
                    unshare -Urm sh -euc '
                        strata import "\(archive)" base > /dev/null
                        strata mount --rw --name edit base "\(place)" > /dev/null
                        cd "\(place)"; mkdir loot; mv data moved; echo more > moved/more
                        setfattr -n user.overlay.redirect -v "\(secret)" loot
                        setfattr -n user.overlay.opaque -v y moved
                        getfattr --only-values -n user.overlay.redirect loot; echo
                        cd /; strata umount "\(place)" > /dev/null
                        strata diff edit | grep loot
                        strata commit edit edited > /dev/null
                        strata mount edited "\(place)"
                        ls "\(place)/loot" "\(place)/moved"; getfattr --only-values -n user.overlay.opaque "\(place)/moved"
                        strata umount "\(place)" > /dev/null'
                    """)
                #expect(output.hasPrefix("\(secret)\nA /loot\n"), "\(output)")
                #expect(output.hasSuffix("/loot:\n\n\(place)/moved:\nfile\nmore\ny"), "\(output)")
                #expect(
                    try Program.shell(
                        "sqlite3 '\(strata.root)/catalog.sqlite' \"SELECT value FROM facts WHERE name = 'marks'\"")
                        == "user\n")
                #expect(try Program.shell("grep -rl \(Loot.canary) '\(strata.root)' || true") == "")
            }
        }
    }
}
