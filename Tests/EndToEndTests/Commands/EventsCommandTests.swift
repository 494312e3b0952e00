import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct EventsCommandTests {
        /// What another process does is there while it runs.
        @Test func eventsOfOtherProcesses() throws {
            try Strata.testWithBusybox { strata in
                let output = strata.scratch + "/events"
                let file = try FileDescriptor.open(output, [.create, .writeOnly, .append], mode: 0o600)
                let nothing = try FileDescriptor.open("/dev/null", [.readWrite])
                let format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}"
                let reader = try ChildProcess.spawn(
                    try Strata.binary(),
                    arguments: [
                        "strata", "--root", strata.root, "events", "--since", "1h", "-f", "type=container", "--format",
                        format,
                    ], descriptors: [nothing.rawValue, file.rawValue, file.rawValue], newSession: true)
                var isOver = false
                defer { if !isOver { try? reader.signal(SIGKILL) } }
                _ = try strata.run(["run", "--rm", "--name", "app", "busybox", "sh", "-c", "exit 7"])
                func lines() throws -> [String] {
                    try Program.shell("cat '\(output)'").split(separator: "\n").map(String.init)
                }
                try waitUntil { try lines().contains { $0.contains(" destroy ") } }
                #expect(
                    try lines() == [
                        "container create app <no value>", "container attach app <no value>",
                        "container start app <no value>", "container die app 7", "container destroy app <no value>",
                    ])
                try reader.signal(SIGTERM)
                isOver = true
                #expect(try reader.wait().shellStatus == 128 + SIGTERM)
            }
        }

        @Test func linesObjectsAndBadFilters() throws {
            try Strata.testWithBusybox { strata in
                try strata("volume", "create", "data")
                func read(_ arguments: String...) throws -> String {
                    try strata.run(["system", "events", "--since", "1h", "--until", "0s"] + arguments).line
                }
                let line = try read("--filter", "type=volume")
                #expect(line.contains(" volume create data (driver=local)") && line.contains("Z "), "\(line)")
                let object = try read("--filter", "event=import", "--format", "json")
                #expect(object.hasPrefix(#"{"Type":"image","Action":"import","Actor":{"ID":"sha256:"#), "\(object)")
                #expect(
                    object.contains(#""Attributes":{"name":"busybox:latest"}},"scope":"local","time":"#), "\(object)")
                #expect(try read("--filter", "image=nosuch") == "")
                let refusal = try strata.failure(of: "events", "--filter", "color=red", status: 1)
                #expect(refusal.hasPrefix("invalid filter \"color\""), "\(refusal)")
            }
        }
    }
}
