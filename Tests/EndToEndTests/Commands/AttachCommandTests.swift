import Linux
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct AttachCommandTests {
        @Test func attachesToContainersInTheBackground() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "-d", "-i", "--name", "app", "busybox", "sh", "-c", "read x; echo got $x; exit 4")
                let outcome = try strata.run(["attach", "app"], input: "hello\n")
                #expect(outcome.status == 4 && outcome.output == "got hello\n", "\(outcome)")
                let stopped = try strata.failure(of: "attach", "app", status: 1)
                #expect(stopped.hasPrefix("You cannot attach to a stopped container, start it first"), "\(stopped)")
                #expect(
                    try strata.failure(of: "container", "attach", "nosuch", status: 1).contains("No such container"))

                // `start -a` attaches to one that runs.
                try strata("run", "-d", "-i", "--name", "second", "busybox", "sh", "-c", "read x; echo again $x")
                let started = try strata.run(["start", "-ai", "second"], input: "you\n")
                #expect(started.status == 0 && started.output == "again you\n", "\(started)")
            }
        }

        /// A foreground run lets others look.
        @Test func attachesToContainersInTheForeground() throws {
            try Strata.testWithBusybox { strata in
                try Program.shell("mkfifo '\(strata.scratch)/go'")
                let nothing = try FileDescriptor.open("/dev/null", [.readWrite])
                let run = try ChildProcess.spawn(
                    try Strata.binary(),
                    arguments: [
                        "strata", "--root", strata.root, "run", "--name", "app", "-v", "\(strata.scratch):/s",
                        "busybox",
                        "sh", "-c", "cat /s/go; exit 6",
                    ], descriptors: [nothing.rawValue, nothing.rawValue, 2], newSession: true)
                #expect(try waitUntil { try strata("ps", "-q", "--filter", "status=running") != "" })
                let file = try FileDescriptor.open(strata.scratch + "/seen", [.create, .writeOnly], mode: 0o600)
                let attached = try ChildProcess.spawn(
                    try Strata.binary(), arguments: ["strata", "--root", strata.root, "attach", "--no-stdin", "app"],
                    descriptors: [nothing.rawValue, file.rawValue, 2], newSession: true)
                #expect(
                    try waitUntil {
                        try strata("events", "--since", "1h", "--until", "0s").split(separator: "\n").count {
                            $0.contains(" attach ")
                        } == 2
                    })
                try Program.shell("echo word > '\(strata.scratch)/go'")
                #expect(try attached.wait().shellStatus == 6)
                #expect(try run.wait().shellStatus == 6)
                #expect(try Program.shell("cat '\(strata.scratch)/seen'") == "word\n")
            }
        }

        /// The keys leave the container running.
        @Test func detaches() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "-d", "-it", "--name", "app", "busybox", "cat")
                let command = "\(try Strata.binary()) --root \(strata.root) attach --detach-keys x app"
                let keys = try FileDescriptor.pipe()
                let seen = strata.scratch + "/seen"
                let nothing = try FileDescriptor.open("/dev/null", [.readWrite])
                let terminal = try ChildProcess.spawn(
                    "script", arguments: ["script", "-qfec", command, seen],
                    descriptors: [keys.read.rawValue, nothing.rawValue, 2], newSession: true)
                try keys.write.writeAll("typed\r")
                #expect(try waitUntil { try Program.shell("cat '\(seen)' || true").contains("typed") })
                try keys.write.writeAll("x")
                #expect(try terminal.wait().shellStatus == 0)
                #expect(try strata("ps", "-q") != "")
                #expect(
                    try strata.failure(of: "attach", "--detach-keys", "ctrl-", "app", status: 1).contains("detach keys")
                )
                try strata("rm", "-f", "app")
            }
        }
    }
}
