import ImageStore
import Linux
import OCI
import Synchronization
import Testing

@testable import Runtime

/// Attaching to containers that another process tends, and what goes over their control sockets.
@Suite(.serialized) struct AttachTests {
    /// Attaches with a pipe for input, which `body` may write to; returns the end and what was printed.
    private func attach(
        _ fixture: Fixture, _ name: String, keys: DetachKeys = .standard, typing text: String = ""
    ) throws -> (end: AttachmentEnd, output: String) {
        let pipe = try FileDescriptor.pipe()
        try pipe.write.writeAll(text)
        var printed: [UInt8] = []
        let end = try fixture.engine.attach(
            name, Attachment(input: BorrowedDescriptor(pipe.read.rawValue)) { _, bytes in printed += bytes },
            detachKeys: keys)
        withExtendedLifetime(pipe.write.rawValue) {}
        return (end, String(decoding: printed, as: UTF8.self))
    }

    @Test("who attaches is heard, sees what is printed from then on, and gets the exit code")
    func feedsAndShows() throws {
        try Fixture.run { fixture in
            _ = try fixture.create(["sh", "-c", "read x; echo got $x; echo oops >&2; exit 3"]) {
                $0.name = "app"
                $0.interactive = true
            }
            try fixture.engine.startDetached("app")
            let (end, output) = try attach(fixture, "app", typing: "hello\n")
            #expect(end == .ended(3))
            #expect(output.contains("got hello\n") && output.contains("oops\n"))
            let stopped = #expect(throws: RuntimeError.self) { try attach(fixture, "app") }
            #expect(stopped?.code == .conflict)
        }
    }

    @Test("two attached at once see the same")
    func severalAttach() throws {
        try Fixture.run { fixture in
            _ = try fixture.create(["sh", "-c", "while read x; do [ $x = end ] && exit 0; echo $x; done"]) {
                $0.name = "app"
                $0.interactive = true
            }
            try fixture.engine.startDetached("app")
            let second = Mutex("")
            let thread = PrivateThread.start {
                _ = try? fixture.engine.attach(
                    "app",
                    Attachment { _, bytes in second.withLock { $0 += String(decoding: bytes, as: UTF8.self) } })
            }
            // The first goes on until the second has seen something.
            let pipe = try FileDescriptor.pipe()
            try pipe.write.writeAll("1\n")
            var printed = ""
            let end = try fixture.engine.attach(
                "app",
                Attachment(input: BorrowedDescriptor(pipe.read.rawValue)) { _, bytes in
                    printed += String(decoding: bytes, as: UTF8.self)
                    let hasSeen = second.withLock { !$0.isEmpty }
                    try? pipe.write.writeAll(hasSeen ? "end\n" : "\(printed.utf8.count)\n")
                })
            thread.join()
            #expect(end == .ended(0))
            let seen = second.withLock { $0 }
            #expect(!seen.isEmpty && printed.hasSuffix(seen), "\(seen.suffix(100)) of \(printed.suffix(100))")
        }
    }

    @Test("the terminal of a container in the background gets the size that it is told")
    func resizes() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "while read x; do stty size; done"]) {
                $0.name = "app"
                $0.interactive = true
                $0.terminal = true
            }
            try fixture.engine.startDetached("app")
            try fixture.engine.resize("app", to: TerminalSize(rows: 17, columns: 93))
            var printed = ""
            let pipe = try FileDescriptor.pipe()
            try pipe.write.writeAll("\n")
            let end = try fixture.engine.attach(
                "app",
                Attachment(input: BorrowedDescriptor(pipe.read.rawValue)) { _, bytes in
                    printed += String(decoding: bytes, as: UTF8.self)
                    // Control-D ends the input.
                    if printed.contains("17 93") {
                        try? pipe.write.writeAll([4])
                    } else {
                        try? pipe.write.writeAll("\n")
                    }
                })
            #expect(end == .ended(0))
            #expect(printed.contains("17 93"), "\(printed)")
            #expect(try fixture.store.events().contains { $0.action == "resize" && $0.actor == container.id })
        }
    }

    @Test("one that does not read is dropped, and neither the container nor the others wait for him")
    func slowClients() throws {
        try withTemporaryDirectory { directory in
            let store = try ImageStore(root: directory + "/store")
            let container = try store.createContainer(NewContainer(layerIDs: []))
            let paths = store.containerPaths(container.id)
            let server = try ControlServer(paths, input: nil, isTerminal: false)
            func connect() throws -> FileDescriptor {
                let home = try FileDescriptor.open(paths.directory, [.directory])
                let connection = try UnixSocket.connect(to: "/proc/self/fd/\(home.rawValue)/\(ControlServer.name)")
                try connection.writeAll(ControlFrame(kind: .attach).encoded)
                return connection
            }
            let slow = try connect()
            let quick = try connect()
            let received = Mutex<(bytes: Int, exitCode: Int32?)>((0, nil))
            let number = quick.rawValue
            let reader = PrivateThread.start {
                var parser = ControlParser()
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
                defer { buffer.deallocate() }
                while let count = try? BorrowedDescriptor(number).read(into: buffer), count > 0 {
                    for frame in parser.read(UnsafeRawBufferPointer(rebasing: buffer[..<count])) ?? [] {
                        received.withLock { state in
                            if frame.kind == .output { state.bytes += frame.content.count }
                            state.exitCode = frame.exitCode ?? state.exitCode
                        }
                    }
                }
            }
            // Both are attached once what is published reaches the quick one.
            let piece = [UInt8](repeating: 7, count: 1 << 16)
            var published = 0
            while received.withLock({ $0.bytes }) == 0 {
                piece.withUnsafeBytes { server.publish(.standardOutput, $0) }
                published += 1
                MonotonicClock.sleep(milliseconds: 1)
            }
            for _ in 0..<512 {
                piece.withUnsafeBytes { server.publish(.standardOutput, $0) }
                MonotonicClock.sleep(milliseconds: 1)
            }
            server.end(exitCode: 5)
            reader.join()
            let (bytes, exitCode) = received.withLock { $0 }
            #expect(exitCode == 5)
            #expect(bytes >= 512 * piece.count)
            let rest = try slow.readAll()
            #expect(rest.count < 512 * piece.count, "it was dropped in the middle")
            #expect(try FileDescriptor.currentDirectory.statusIfPresent(of: paths.directory + "/control") == nil)
        }
    }

    @Test("a network is attached between the making and the start of a container")
    func preparesBeforeTheStart() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "echo started > /started"]) { $0.network = "none" }
            let paths = fixture.store.containerPaths(container.id)
            let driver = try fixture.context.driver()
            let mount = try ContainerUnion.mount(fixture.context, paths, layers: container.layerIDs, places: [])
            defer { try? mount.unmount() }
            let settings = try fixture.engine.settings(of: container)
            try Bundle.write(
                Bundle.Command(
                    arguments: settings.arguments, environment: ["PATH=/bin"], workingDirectory: "/", user: "",
                    hostname: "x", isolation: settings.isolation),
                id: container.id, directory: paths.bundle, rootfs: paths.rootfs, driver: driver)
            var start = RuntimeDriver.Start(id: container.id, bundle: paths.bundle)
            var seen: (network: String, hasStarted: Bool)?
            start.prepare = { (pid: Int32) throws(RuntimeError) in
                let link = (try? FileDescriptor.currentDirectory.readLink("/proc/\(pid)/ns/net")) ?? []
                let file = try? FileDescriptor.currentDirectory.status(of: paths.rootfs + "/started")
                seen = (String(decoding: link, as: UTF8.self), file != nil)
            }
            let process = try ContainerProcess.start(driver, start, withInput: false)
            let status = try process.pump(ContainerProcess.Pump { _, _ in true })
            driver.delete(container.id)
            let own = String(decoding: try FileDescriptor.currentDirectory.readLink("/proc/self/ns/net"), as: UTF8.self)
            #expect(status == .exited(0))
            #expect(seen?.hasStarted == false)
            #expect(seen?.network.hasPrefix("net:[") == true && seen?.network != own)
            #expect(try FileDescriptor.currentDirectory.status(of: paths.rootfs + "/started").isRegular)

            start.prepare = { (_: Int32) throws(RuntimeError) in throw RuntimeError(.system, "there is no such bridge")
            }
            let failure = #expect(throws: RuntimeError.self) {
                try ContainerProcess.start(driver, start, withInput: false)
            }
            #expect(failure?.message == "there is no such bridge")
            #expect(!driver.exists(container.id))
        }
    }

    @Test("frames come apart as they were put together, in pieces of any size")
    func frames() throws {
        let frames = [
            ControlFrame(kind: .attach), ControlFrame(kind: .input, content: Array("abc".utf8)),
            .resize(to: TerminalSize(rows: 300, columns: 2)), .end(exitCode: -1),
        ]
        var parser = ControlParser()
        var read: [ControlFrame] = []
        for byte in frames.flatMap(\.encoded) {
            read += try #require(withUnsafeBytes(of: byte) { parser.read($0) })
        }
        #expect(read == frames)
        #expect(read[2].size == TerminalSize(rows: 300, columns: 2) && read[3].exitCode == -1)
        var other = ControlParser()
        #expect([UInt8]("nonsense".utf8).withUnsafeBytes { other.read($0) } == nil)
    }

    @Test("detach keys are found among what is typed, and their beginnings are not lost")
    func detachKeys() throws {
        var keys = DetachKeys.standard
        #expect(keys.pass([1, 0x10]) == ([1], false))
        #expect(keys.pass([2]) == ([0x10, 2], false))
        #expect(keys.pass([0x10, 0x10]) == ([0x10], false))
        #expect(keys.pass([0x11, 9]) == ([], true))
        var letters = try DetachKeys(parsing: "a,ctrl-],ctrl-@")
        #expect(letters.pass(Array("xa".utf8) + [0x1D, 0]) == (Array("x".utf8), true))
        for text in ["ctrl-", "ctrl-aa", "ab", "ctrl-1", ""] {
            #expect(throws: RuntimeError.self, "\(text)") { try DetachKeys(parsing: text) }
        }
    }

    @Test("settings of older versions still say which network a container has")
    func olderSettings() throws {
        var isolation = Isolation()
        isolation.network = .none
        let kept = try JSON.encode(isolation)
        #expect(try JSON.decode(Isolation.self, from: kept) == isolation)
        let older = Array(#"{"hasNetwork":false,"isReadOnly":true}"#.utf8)
        let read = try JSON.decode(Isolation.self, from: .init(older))
        #expect(read.network == .none && read.isReadOnly)
    }
}
