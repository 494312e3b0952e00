import ImageStore
import Linux
import OCI
import Testing

@testable import Runtime

/// Containers that run to their end under the caller's eyes.
@Suite(.serialized) struct RunTests {
    @Test(arguments: ["runc", "crun"])
    func exitCodesAndOutput(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            let outcome = try fixture.shell("echo out; echo err >&2; exit 7")
            #expect(outcome.status == 7)
            #expect(outcome.output == "out\n")
            #expect(outcome.errors == "err\n")
            #expect(try fixture.run(["true"]).status == 0)
            #expect(try fixture.shell("sh -c 'kill -9 $$'; exit $?").status == 137)
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test(arguments: ["runc", "crun"])
    func commandsThatCannotRunLeaveNothing(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            let cases: [(String, RuntimeError.Code, Int32)] = [
                ("/nope", .commandNotFound, 127), ("nope", .commandNotFound, 127),
                ("/bin/text", .commandNotExecutable, 126),
            ]
            for (command, code, exitCode) in cases {
                let container = try fixture.create([command])
                let error = #expect(throws: RuntimeError.self) { try fixture.run(container) }
                #expect(error?.code == code, "\(command): \(String(describing: error))")
                let record = try fixture.record(container)
                #expect(record.exitCode == exitCode)
                #expect(record.state == .created)
                #expect(record.supervisor == nil)
                try fixture.engine.remove(container.id)
            }
            #expect(fixture.mounts.isEmpty)
            #expect(try fixture.store.containers().isEmpty)
            #expect(
                try FileDescriptor.currentDirectory.statusIfPresent(of: fixture.context.stateDirectory) == nil)
        }
    }

    @Test func aBadUserIsReported() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["id"]) { $0.user = "nobody-here" }
            let error = #expect(throws: RuntimeError.self) { try fixture.run(container) }
            #expect(error?.code == .noSuchUser)
            #expect(error?.exitCode == 125)
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test(arguments: ["runc", "crun"])
    func environmentUserDirectoryAndNames(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            let outcome = try fixture.shell("echo $FROM_IMAGE $OWN $HOME; id -u; id -g; id -G; pwd; hostname") {
                $0.environment = ["OWN=x y"]
                $0.user = "app"
                $0.workingDirectory = "/made/for/it"
                $0.hostname = "box"
            }
            #expect(outcome.output == "yes x y /home/app\n1000\n1001\n1001 29\n/made/for/it\nbox\n")
            let names = "hostname; cat /etc/hostname; grep -c $HOSTNAME /etc/hosts"
            let container = try fixture.create(["sh", "-c", names])
            let short = container.shortID
            #expect(try fixture.run(container).output == "\(short)\n\(short)\n1\n")
            #expect(try fixture.shell("id -u; id -g", { $0.user = "4321:29" }).output == "4321\n29\n")
        }
    }

    @Test(arguments: ["runc", "crun"])
    func noDescriptorOfOursIsInTheContainer(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            // The fourth is that of the directory being listed.
            let command = ["ls", "/proc/self/fd"]
            #expect(try fixture.run(command).output == "0\n1\n2\n3\n")
            #expect(try fixture.run(command) { $0.interactive = true }.output == "0\n1\n2\n3\n")
            let terminal = try fixture.run(command) { $0.terminal = true }
            #expect(terminal.output.split { $0.isWhitespace } == ["0", "1", "2", "3"])
        }
    }

    @Test func inputReachesTheContainer() throws {
        try Fixture.run { fixture in
            let pipe = try FileDescriptor.pipe()
            let text = String(repeating: "0123456789abcde\n", count: 20_000)
            let writer = try pipe.write.duplicate()
            let number = writer.release()
            PrivateThread.detach { try? FileDescriptor(owning: number).writeAll(text) }
            let source = pipe.keepRead()
            let outcome = try fixture.run(["cat"], input: BorrowedDescriptor(source.rawValue)) {
                $0.interactive = true
            }
            #expect(outcome.status == 0)
            #expect(outcome.output == text)
            // Not asked for, so there is none.
            #expect(try fixture.run(["cat"]).output == "")
        }
    }

    @Test func muchOutputComesWhole() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["dd", "if=/dev/zero", "bs=65536", "count=160"])
            var count = 0
            let status = try fixture.engine.start(
                container.id,
                attachment: Attachment { stream, bytes in if stream == .standardOutput { count += bytes.count } })
            #expect(status == 0)
            #expect(count == 160 * 65536)
        }
    }

    @Test(arguments: [false, true])
    func theContainerNoticesThatNobodyReads(_ terminal: Bool) throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "while echo line; do :; done"]) {
                $0.terminal = terminal
            }
            var count = 0
            let attachment = Attachment(
                input: nil, terminal: nil, forwardsSignals: false,
                whileRead: { _, _ in
                    count += 1
                    return count < 3
                })
            // It would run for ever otherwise.
            _ = try fixture.engine.start(container.id, attachment: attachment)
            #expect(count >= 3)
        }
    }

    @Test(arguments: ["runc", "crun"])
    func aTerminalIsATerminal(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            let outcome = try fixture.shell("tty; echo $TERM; echo err >&2") { $0.terminal = true }
            #expect(outcome.status == 0)
            #expect(outcome.output == "/dev/pts/0\r\nxterm\r\nerr\r\n")
        }
    }

    @Test func autoRemoveLeavesNothing() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "echo x > /vol/y; exit 4"]) {
                $0.autoRemove = true
                $0.volumes = ["/vol"]
            }
            #expect(try fixture.run(container).status == 4)
            #expect(try fixture.store.containers().isEmpty)
            #expect(try Volumes(fixture.store).names().isEmpty)
            #expect(try FileDescriptor.open("\(fixture.root)/containers", .directory).sortedEntryNames().isEmpty)
        }
    }

    @Test func whatItWroteStaysForTheNextRun() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "echo x >> /count; cat /count"])
            #expect(try fixture.run(container).output == "x\n")
            #expect(try fixture.run(container).output == "x\nx\n")
            let changes = try fixture.engine.diff(container.id)
            #expect(changes.filter { $0.path != "/" }.map { "\($0.kind.rawValue) \($0.path)" } == ["A /count"])
        }
    }

    @Test func twoContainersDoNotSeeEachOtherAndTheLayerStays() throws {
        try Fixture.run { fixture in
            let layer = try #require(fixture.image.layerIDs.first)
            let path = fixture.store.layerPath(layer)
            let hash = "cd \(path) && tar --xattrs --sort=name -cf - . | sha256sum"
            let before = try onHost(hash)
            let script = "echo $NAME > /data/file; touch /tmp-$NAME; sleep 0.2; cat /data/file; ls / | grep tmp"
            let containers = try ["one", "two"].map { name in
                try fixture.create(["sh", "-c", script]) { $0.environment = ["NAME=\(name)"] }
            }
            for container in containers { try fixture.engine.startDetached(container.id) }
            for container in containers { #expect(try fixture.engine.wait(container.id) == 0) }
            for (container, name) in zip(containers, ["one", "two"]) {
                var text = ""
                try fixture.engine.logs(container.id) { entry in
                    text += entry.text
                    return true
                }
                #expect(text == "\(name)\ntmp-\(name)\n")
            }
            #expect(try onHost(hash) == before)
            #expect(try read("\(path)/data/file") == "from the image\n")
        }
    }
}
