import ImageStore
import Linux
import OCI
import Testing

@testable import Runtime

/// Containers that a supervisor tends, and what becomes of them when it dies.
@Suite(.serialized) struct DetachedTests {
    private func logText(_ fixture: Fixture, _ container: ContainerRecord) throws -> String {
        var text = ""
        try fixture.engine.logs(container.id) { entry in
            text += entry.text
            return true
        }
        return text
    }

    @Test func runsIsListedAndStops() throws {
        try Fixture.run { fixture in
            let script = "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
            let container = try fixture.create(["sh", "-c", script]) { $0.name = "service" }
            try fixture.engine.startDetached("service")
            let running = try fixture.record(container)
            #expect(running.state == .running)
            #expect(running.pid != nil)
            #expect(running.supervisor?.isAlive == true)
            try fixture.eventually("the log has its first line") { try logText(fixture, container) == "ready\n" }

            let conflict = #expect(throws: RuntimeError.self) { try fixture.engine.startDetached("service") }
            #expect(conflict?.code == .conflict)
            let inUse = #expect(throws: RuntimeError.self) { try fixture.engine.remove("service") }
            #expect(inUse?.code == .conflict)

            try fixture.engine.stop("service")
            let stopped = try fixture.record(container)
            #expect(stopped.state == .exited)
            #expect(stopped.exitCode == 9)
            #expect(stopped.pid == nil)
            #expect(try logText(fixture, container) == "ready\nbye\n")
            #expect(fixture.mounts.isEmpty)
            #expect(try fixture.engine.wait("service") == 9)
            try fixture.engine.stop("service")
            try fixture.engine.remove("service")
        }
    }

    @Test func whoDoesNotListenIsKilled() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"])
            try fixture.engine.startDetached(container.id)
            let start = MonotonicClock.milliseconds
            try fixture.engine.stop(container.id, timeout: 1)
            let duration = MonotonicClock.milliseconds - start
            #expect(duration >= 900)
            #expect(try fixture.record(container).exitCode == 137)
        }
    }

    @Test func anInteractiveContainerWaitsForInput() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "cat; echo over"]) { $0.interactive = true }
            try fixture.engine.startDetached(container.id)
            MonotonicClock.sleep(milliseconds: 200)
            #expect(try fixture.engine.container(matching: container.id).state == .running)
            try fixture.engine.kill(container.id)
            #expect(try fixture.record(container).exitCode == 137)
        }
    }

    @Test func aStartThatFailsIsReported() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["/nope"])
            let error = #expect(throws: RuntimeError.self) { try fixture.engine.startDetached(container.id) }
            #expect(error?.code == .commandNotFound)
            #expect(error?.exitCode == 127)
            #expect(fixture.mounts.isEmpty)
            #expect(try fixture.engine.wait(container.id) == 127)
        }
    }

    @Test func followingALogEndsWithTheContainer() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.1; done"])
            try fixture.engine.startDetached(container.id)
            var options = LogOptions()
            options.follow = true
            var lines: [String] = []
            try fixture.engine.logs(container.id, options) { entry in
                lines.append(entry.text)
                return true
            }
            #expect(lines == ["1\n", "2\n", "3\n"])
            options = LogOptions()
            options.tail = 1
            lines = []
            try fixture.engine.logs(container.id, options) { entry in
                lines.append(entry.text)
                return true
            }
            #expect(lines == ["3\n"])
        }
    }

    @Test(arguments: ["runc", "crun"])
    func aKilledSupervisorIsCleanedUpAfter(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            let container = try fixture.create(["sleep", "1000"])
            try fixture.engine.startDetached(container.id)
            let running = try fixture.record(container)
            let supervisor = try #require(running.supervisor)
            let pid = try #require(running.pid)
            #expect(fixture.mounts.count == 1)
            try Supervision.signal(Signals.kill, pid: supervisor.pid)
            try fixture.eventually("the supervisor is gone") { !supervisor.isAlive }

            let found = try fixture.engine.containers()
            #expect(found.map(\.state) == [.exited])
            #expect(found.first?.exitCode == 137)
            try fixture.eventually("the container's process is gone") { ProcessTable.startTime(of: pid) == nil }
            #expect(fixture.mounts.isEmpty)
            #expect(
                try FileDescriptor.currentDirectory.statusIfPresent(of: fixture.context.stateDirectory) == nil)
            // It can be started again.
            try fixture.engine.startDetached(container.id)
            try fixture.engine.kill(container.id)
        }
    }

    @Test func aContainerToBeRemovedGoesWithItsKilledSupervisor() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sleep", "1000"]) {
                $0.autoRemove = true
                $0.volumes = ["/vol"]
            }
            try fixture.engine.startDetached(container.id)
            let supervisor = try #require(try fixture.record(container).supervisor)
            try Supervision.signal(Signals.kill, pid: supervisor.pid)
            try fixture.eventually("the supervisor is gone") { !supervisor.isAlive }
            #expect(try fixture.engine.containers().isEmpty)
            #expect(try Volumes(fixture.store).names().isEmpty)
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test func waitKnowsTheCodeOfAContainerThatRemovesItself() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "sleep 0.3; exit 6"]) { $0.autoRemove = true }
            try fixture.engine.startDetached(container.id)
            #expect(try fixture.engine.wait(container.id) == 6)
            try fixture.eventually("the container is removed") { try fixture.store.containers().isEmpty }
        }
    }

    @Test func furtherProcessesRunInARunningContainer() throws {
        try Fixture.run(runtime: "runc") { fixture in
            let container = try fixture.create(["sleep", "1000"]) { $0.user = "app" }
            let early = #expect(throws: RuntimeError.self) {
                try fixture.engine.exec(
                    container.id, ExecOptions(arguments: ["true"]), attachment: Attachment { _, _ in })
            }
            #expect(early?.code == .conflict)
            try fixture.engine.startDetached(container.id)
            var output: [UInt8] = []
            let attachment = Attachment { _, bytes in output += bytes }
            var options = ExecOptions(arguments: ["sh", "-c", "id -u; echo $FROM_IMAGE $MORE; hostname; exit 3"])
            options.environment = ["MORE=x"]
            #expect(try fixture.engine.exec(container.id, options, attachment: attachment) == 3)
            #expect(String(decoding: output, as: UTF8.self) == "1000\nyes x\n\(container.shortID)\n")
            output = []
            options = ExecOptions(arguments: ["tty"])
            options.terminal = true
            options.user = "0"
            #expect(try fixture.engine.exec(container.id, options, attachment: attachment) == 0)
            #expect(String(decoding: output, as: UTF8.self).hasPrefix("/dev/pts/"))
            let missing = #expect(throws: RuntimeError.self) {
                try fixture.engine.exec(
                    container.id, ExecOptions(arguments: ["/no/such"]), attachment: attachment)
            }
            #expect(missing?.code == .commandNotFound)
            #expect(try fixture.record(container).state == .running)
            try fixture.engine.kill(container.id)
        }
    }
}
