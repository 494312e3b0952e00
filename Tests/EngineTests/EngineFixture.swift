import BuildEngine
import Engine
import Foundation
import ImageStore
import Linux
import OCI
import Runtime
import Testing

/// An engine on a store in a directory of its own, with an image `bb` of a busybox; all of it goes with the test.
struct EngineFixture {
    let directory: String
    let engine: Engine

    static func with(_ body: (EngineFixture) throws -> Void) throws {
        let directory = "/var/tmp/strata-engine-\(UInt64.random(in: 0 ..< .max))"
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        defer { try? FileDescriptor.currentDirectory.removeTree(directory) }
        let environment = ProcessEnvironment.current()
        let location = StoreLocation(directory + "/store", environment: environment, isRoot: true)
        let engine = try Engine(Engine.Configuration(location: location, environment: environment))
        defer { end(engine) }
        let fixture = EngineFixture(directory: directory, engine: engine)
        try fixture.shell(
            """
            mkdir -p tree/bin
            cp /bin/busybox tree/bin/
            for name in sh cat echo sleep true; do ln -s busybox tree/bin/$name; done
            tar -C tree -cf bb.tar .
            """)
        var request = ImportRequest(.file(try FileDescriptor.open(directory + "/bb.tar")), comment: "a test")
        request.name = "bb"
        request.changes = ["ENV PATH=/bin", "CMD sh"]
        _ = try engine.importImage(request) { _ in }
        try body(fixture)
    }

    private static func end(_ engine: Engine) {
        engine.containers.reconcile()
        for container in (try? engine.store.containers(includingBuilds: true)) ?? [] {
            try? engine.containers.remove(container.id, force: true, withVolumes: true)
        }
    }

    /// Runs a script in the fixture's directory.
    func shell(_ script: String) throws {
        let child = try ChildProcess.spawn("sh", arguments: ["sh", "-ec", script], directory: directory)
        try #require(try child.wait() == .exited(0), "\(script)")
    }

    /// Writes a Dockerfile into a context of its own, and returns the build of it.
    func build(_ name: String, _ dockerfile: String) throws -> BuildRequest {
        let context = "\(directory)/\(name.replacing("/", with: "-"))"
        try FileDescriptor.currentDirectory.makeDirectory(context, mode: 0o755)
        try FileDescriptor.open(context + "/Dockerfile", [.create, .writeOnly], mode: 0o644).writeAll(dockerfile)
        var options = BuildOptions(context: context)
        options.tags = [try Reference(parsing: name)]
        return BuildRequest(options)
    }

    /// Builds it.
    @discardableResult
    func built(_ request: BuildRequest) throws -> ImageRecord {
        try engine.build(request, cancellation: nil) { _ in
        } writer: { _, _ in
        }.image
    }

    /// What a command in a container of an image prints.
    func run(_ image: String, _ command: String...) throws -> String {
        var options = ContainerOptions()
        options.imageName = image
        options.command = command
        options.autoRemove = true
        let container = try engine.create(CreateRequest(options, image: image)) { _ in }
        var printed: [UInt8] = []
        let status = try engine.containers.start(
            container.id,
            attachment: Attachment(input: nil) { stream, bytes in
                if stream == .standardOutput { printed += bytes }
            })
        #expect(status == 0)
        return String(decoding: printed, as: UTF8.self)
    }
}
