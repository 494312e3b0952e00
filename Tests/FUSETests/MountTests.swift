import FUSE
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

/// A mount of `MirrorFileSystem` in a directory of its own, taken down when the body returns or throws.
func withMount(
    configure: (MirrorFileSystem, inout Session.Options) -> Void = { _, _ in },
    _ body: (_ mount: String, _ source: String, _ fileSystem: MirrorFileSystem, _ session: Session) throws -> Void
) throws {
    var template = Array("/var/tmp/strata-fuse-test.XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let directory = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    defer { try? FileDescriptor.currentDirectory.removeTree(directory) }
    let source = directory + "/source"
    let mount = directory + "/mount"
    for path in [source, mount] { try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o755) }
    let fileSystem = MirrorFileSystem(root: source)
    var options = Session.Options()
    options.mountOptions = [
        "default_permissions", "allow_other", "fsname=mirror", "subtype=strata-test", "suid", "dev",
    ]
    configure(fileSystem, &options)
    let session = try Session(fileSystem, mountPoint: mount, options: options)
    defer {
        let allEnded = session.end()
        #expect(allEnded)
    }
    try session.start()
    try body(mount, source, fileSystem, session)
}

func write(_ text: String, to path: String) throws {
    try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644).writeAll(text)
}

func text(of path: String) throws -> String {
    String(decoding: try FileDescriptor.open(path).readAll(), as: UTF8.self)
}

/// A thread that can be waited for.
private final class Worker {
    private var thread = pthread_t()
    private let body: () -> Void
    private let done = Atomic(false)

    init(_ body: @escaping () -> Void) {
        self.body = body
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let worker = Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue()
                worker.body()
                worker.done.store(true, ordering: .releasing)
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
    }

    var isDone: Bool { done.load(ordering: .acquiring) }

    func join() { pthread_join(thread, nil) }
}

@Suite(.serialized) struct MountTests {
    @Test func filesAreMadeWrittenReadAndRemoved() throws {
        try withMount { mount, source, fileSystem, _ in
            try write("hello", to: mount + "/a")
            #expect(try text(of: source + "/a") == "hello")
            #expect(try text(of: mount + "/a") == "hello")
            try FileDescriptor.currentDirectory.makeDirectory(mount + "/d", mode: 0o700)
            #expect(try FileDescriptor.currentDirectory.status(of: source + "/d").permissions == 0o700)
            try FileDescriptor.currentDirectory.makeSymbolicLink(mount + "/l", to: "a")
            #expect(try text(of: mount + "/l") == "hello")
            try FileDescriptor.currentDirectory.unlink(mount + "/a")
            #expect(throws: Errno.ENOENT) { try text(of: mount + "/a") }
            #expect(try FileSystemStatus(path: mount).blocks == FileSystemStatus(path: source).blocks)
        }
    }

    @Test func namesAttributesAndAbsenceAreCached() throws {
        try withMount { mount, source, fileSystem, session in
            try write("x", to: source + "/a")
            for _ in 0..<10 {
                _ = try FileDescriptor.currentDirectory.status(of: mount + "/a")
                #expect(throws: Errno.ENOENT) { try FileDescriptor.currentDirectory.status(of: mount + "/none") }
            }
            #expect(fileSystem.count("lookup") == 2)
            // Of the root, once.
            #expect(fileSystem.count("getattr") <= 1)
            // Until the server says otherwise.
            try write("x", to: source + "/none")
            try "none".withCString { try session.invalidate(name: Name($0), in: .root) }
            #expect(try FileDescriptor.currentDirectory.status(of: mount + "/none").size == 1)
        }
    }

    @Test(arguments: [true, false])
    func directoriesOfManyEntriesAreListed(plus: Bool) throws {
        try withMount(configure: { _, options in
            if !plus { options.capabilities.remove(.readDirectoryPlus) }
        }) { mount, source, fileSystem, _ in
            let names = (0..<1000).map { "file-\(1000 + $0)" }
            for name in names { try write("", to: source + "/" + name) }
            let listed = try FileDescriptor.open(mount, .directory).sortedEntryNames()
            #expect(listed.map { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) } == names)
            #expect(fileSystem.count(plus ? "readdirplus" : "readdir") > 1)
            #expect(fileSystem.count(plus ? "readdir" : "readdirplus") == 0)
            // The kernel may forget a name at any time, when somebody drops its caches; hence several tries.
            let foundAtOnce = try (0..<10).contains { number in
                let directory = "/d\(number)"
                try FileDescriptor.currentDirectory.makeDirectory(source + directory, mode: 0o755)
                try write("", to: source + directory + "/file")
                _ = try FileDescriptor.open(mount + directory, .directory).sortedEntryNames()
                fileSystem.resetCounters()
                _ = try FileDescriptor.currentDirectory.status(of: mount + directory + "/file")
                return fileSystem.count("lookup") == 0
            }
            #expect(foundAtOnce == plus)
        }
    }

    @Test(arguments: [true, false])
    func filesWithoutANameCanBeMade(passthrough: Bool) throws {
        try withMount(configure: { fileSystem, _ in fileSystem.usesPassthrough = passthrough }) {
            mount, source, fileSystem, _ in
            let file = try FileDescriptor.open(mount, [.readWrite, .temporaryFile], mode: 0o600)
            try file.writeAll("unnamed")
            _ = try file.seek(0, from: .start)
            #expect(try file.readAll() == Array("unnamed".utf8))
            #expect(try file.status().linkCount == 0)
            #expect(fileSystem.count("tmpfile") == 1)
            #expect(fileSystem.count("write") == (passthrough ? 0 : 1))
        }
    }

    @Test func extendedAttributesAreSetAndRead() throws {
        try withMount { mount, source, fileSystem, session in
            try write("x", to: mount + "/a")
            let value = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
            let file = try FileDescriptor.open(mount + "/a", .readWrite)
            try file.setAttribute("user.test", value)
            #expect(try file.attribute("user.test") == value)
            #expect(try FileDescriptor.open(source + "/a").attribute("user.test") == value)
            #expect(try file.attribute("user.none") == nil)
            #expect(session.capabilities.contains(.extendedSetXattr))
        }
    }

    @Test func timeOfBirthIsShown() throws {
        try withMount { mount, source, fileSystem, _ in
            try write("x", to: mount + "/a")
            let shown = try FileDescriptor.currentDirectory.status(of: mount + "/a").birthTime
            #expect(try shown == FileDescriptor.currentDirectory.status(of: source + "/a").birthTime)
            #expect(shown.seconds > 0)
        }
    }

    @Test func aRequestThatIsDroppedIsAnsweredWithEIO() throws {
        try withMount(configure: { fileSystem, _ in fileSystem.unansweredName = "dropped" }) { mount, _, _, _ in
            #expect(throws: Errno.EIO) { try FileDescriptor.currentDirectory.status(of: mount + "/dropped") }
        }
    }

    @Test func whatTheServerLacksIsReportedAsMissing() throws {
        try withMount { mount, _, _, _ in
            try write("x", to: mount + "/a")
            #expect(throws: Errno.ENOSYS) { try FileDescriptor.currentDirectory.makeNode(mount + "/p", mode: 0o010644) }
        }
    }

    /// Five at once, so that several workers are stuck; each directory of its own, because the kernel takes the directory's
    /// lock for a lookup unless it was told that lookups may run side by side.
    @Test func slowRequestsDoNotKeepOthersWaiting() throws {
        try withMount(configure: { fileSystem, _ in fileSystem.heldName = "slow" }) {
            mount, source, fileSystem, _ in
            defer { fileSystem.released.store(true, ordering: .relaxed) }
            try write("x", to: source + "/quick")
            for number in 0..<5 {
                try FileDescriptor.currentDirectory.makeDirectory(source + "/d\(number)", mode: 0o755)
            }
            let threads = (0..<5).map { number in
                Worker { _ = try? FileDescriptor.currentDirectory.status(of: mount + "/d\(number)/slow") }
            }
            #expect(waitUntil(seconds: 10) { fileSystem.held.load(ordering: .relaxed) == 5 })
            #expect(try FileDescriptor.currentDirectory.status(of: mount + "/quick").size == 1)
            // It was answered while the others still waited.
            #expect(fileSystem.held.load(ordering: .relaxed) == 5)
            fileSystem.released.store(true, ordering: .relaxed)
            for thread in threads { thread.join() }
            #expect(threads.allSatisfy { $0.isDone })
        }
    }

    @Test func endingUnmountsAndDestroys() throws {
        var kept: MirrorFileSystem?
        try withMount { mount, _, fileSystem, session in
            kept = fileSystem
            let outside = try FileDescriptor.currentDirectory.mountID(of: "/")
            #expect(try FileDescriptor.currentDirectory.mountID(of: mount) != outside)
            #expect(session.end())
            #expect(try FileDescriptor.open(mount, .directory).sortedEntryNames().isEmpty)
        }
        #expect(kept?.destroyed.load(ordering: .relaxed) == true)
    }

    @Test func endingDoesNotWaitForOpenFiles() throws {
        try withMount { mount, _, _, session in
            try write("x", to: mount + "/a")
            let file = try FileDescriptor.open(mount + "/a")
            let start = MonotonicClock.milliseconds
            #expect(session.end())
            #expect(MonotonicClock.milliseconds - start < 2000)
            // Open until here.
            #expect(throws: Errno.ENOTCONN) { try file.status() }
        }
    }

    @Test func aMountPointThatIsMissingIsNamed() throws {
        let failure = #expect(throws: MountFailure.self) {
            _ = try Session(MirrorFileSystem(root: "/tmp"), mountPoint: "/var/tmp/strata-no-such-directory")
        }
        #expect(failure?.message.contains("/var/tmp/strata-no-such-directory: No such file") == true)
    }

    @Test func aMountPointThatIsAFileIsRefused() throws {
        try withMount { mount, source, _, _ in
            try write("x", to: source + "/file")
            let failure = #expect(throws: MountFailure.self) {
                _ = try Session(MirrorFileSystem(root: "/tmp"), mountPoint: source + "/file")
            }
            #expect(failure?.message.contains("Not a directory") == true)
        }
    }

    @Test func anUnknownOptionIsNamed() throws {
        var options = Session.Options()
        options.mountOptions = ["no_such_option"]
        let failure = #expect(throws: MountFailure.self) {
            _ = try Session(MirrorFileSystem(root: "/tmp"), mountPoint: "/var/tmp", options: options)
        }
        #expect(failure?.message.contains("no_such_option") == true)
    }
}
