import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

@testable import Runtime

/// A store with an image of busybox and nothing else, whose containers, mounts and files go at the end of the test.
struct Fixture {
    let root: String
    let store: ImageStore
    let engine: ContainerEngine
    let image: ImageRecord

    var context: RuntimeContext { engine.context }

    /// Runs `body` with a fresh store.
    static func run(runtime: String? = nil, _ body: (Fixture) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let root = directory + "/store"
            let store = try ImageStore(root: root)
            let program = try #require(strata(), "the test needs the built strata beside it, or its path in STRATA")
            let engine = ContainerEngine(
                RuntimeContext(store: store, environment: .current(), runtime: runtime), supervisorProgram: program)
            defer { end(engine) }
            let image = try makeImage(store, directory: directory)
            try body(Fixture(root: root, store: store, engine: engine, image: image))
        }
    }

    private static func end(_ engine: ContainerEngine) {
        engine.reconcile()
        for mount in (try? engine.mounts()) ?? [] { try? engine.unmount(mount.mountPoint) }
        for container in (try? engine.store.containers(includingBuilds: true)) ?? [] {
            try? engine.remove(container.id, force: true, withVolumes: true)
        }
        for mount in MountTable.current().mounts(below: engine.store.root) {
            try? Mount.unmount(mount.mountPoint, flags: [.detach, .noFollow])
            Issue.record("\(mount.mountPoint) was left mounted")
        }
    }

    /// The `strata` that was built with the tests.
    static func strata() -> String? {
        if let named = ProcessEnvironment.current().nonEmpty("STRATA") { return named }
        guard let test = Executables.current(), let slash = test.lastIndex(of: "/") else { return nil }
        let neighbour = String(test[...slash]) + "strata"
        return Executables.isExecutable(neighbour) ? neighbour : nil
    }

    /// An image with busybox, its applets, and a few users: no `/proc`, no `/dev`, nothing in `/etc` but the users.
    private static func makeImage(_ store: ImageStore, directory: String) throws -> ImageRecord {
        let tree = directory + "/tree"
        try makeDirectory(tree)
        try makeDirectory("\(tree)/bin")
        try makeDirectory("\(tree)/etc")
        try makeDirectory("\(tree)/data")
        try write("from the image\n", to: "\(tree)/data/file")
        try write("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n", to: "\(tree)/etc/passwd")
        try write("root:x:0:\napp:x:1001:\naudio:x:29:app\n", to: "\(tree)/etc/group")
        try write("not a program\n", to: "\(tree)/bin/text")
        try onHost(
            """
            cp /bin/busybox \(tree)/bin/busybox
            ln \(tree)/data/file \(tree)/data/second
            for applet in sh cat echo id env pwd hostname sleep true false kill tty stty ls touch rm mv mkdir mount \
                dd grep readlink stat; do ln -s busybox \(tree)/bin/$applet; done
            tar -C \(tree) -cf \(directory)/image.tar .
            """)
        let layer = try store.importLayer(from: try FileDescriptor.open("\(directory)/image.tar"))
        var configuration = ImageConfiguration(created: .now)
        configuration.config.env = ["PATH=/bin", "FROM_IMAGE=yes"]
        configuration.config.cmd = ["sh"]
        configuration.history = [History(created: .now, createdBy: "test")]
        return try store.createImage(
            configuration: configuration, layers: [layer.id], tags: [try Reference(parsing: "bb")])
    }

    // MARK: Containers

    /// What a container did.
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Makes a container with these options.
    func create(
        _ command: [String], _ change: (inout ContainerOptions) -> Void = { _ in }
    ) throws -> ContainerRecord {
        var options = ContainerOptions()
        options.command = command
        change(&options)
        return try engine.create(options, image: image)
    }

    /// Makes a container and runs it to its end.
    func run(
        _ command: [String], input: BorrowedDescriptor? = nil, _ change: (inout ContainerOptions) -> Void = { _ in }
    ) throws -> Outcome {
        try run(try create(command, change), input: input)
    }

    /// Runs a container to its end.
    func run(_ container: ContainerRecord, input: BorrowedDescriptor? = nil) throws -> Outcome {
        var printed: [OutputStream: [UInt8]] = [:]
        let status = try engine.start(
            container.id,
            attachment: Attachment(input: input) { stream, bytes in printed[stream, default: []] += bytes })
        return Outcome(
            status: status, output: String(decoding: printed[.standardOutput] ?? [], as: UTF8.self),
            errors: String(decoding: printed[.standardError] ?? [], as: UTF8.self))
    }

    /// Runs a script to its end.
    func shell(_ script: String, _ change: (inout ContainerOptions) -> Void = { _ in }) throws -> Outcome {
        try run(["sh", "-c", script], change)
    }

    /// The container as the catalog has it now.
    func record(_ container: ContainerRecord) throws -> ContainerRecord {
        try store.container(matching: container.id)
    }

    /// Mounts below the store's directory.
    var mounts: [String] { MountTable.current().mounts(below: root).map(\.mountPoint) }

    /// Waits until something holds; fails the test after ten seconds.
    func eventually(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = MonotonicClock.milliseconds + 10_000
        while try !condition() {
            if MonotonicClock.milliseconds > deadline {
                Issue.record("\(what): not within ten seconds")
                return
            }
            MonotonicClock.sleep(milliseconds: 10)
        }
    }
}
