import FoundationEssentials
import ImageStore
import LayerTree
import Linux
import OCI
import Runtime
import Synchronization
import Testing

@testable import BuildEngine

/// A store with an image of busybox called `busybox`, and a build context. All of it goes at the end of the test, and
/// the test fails if a mount or a container of a build is left.
struct BuildFixture {
    let directory: String
    let store: ImageStore
    let base: ImageRecord

    var context: String { directory + "/context" }

    /// Runs `body` with a fresh store and an empty context.
    static func run(_ body: (BuildFixture) throws -> Void) throws {
        let directory = "/var/tmp/strata-build-test-\(String(UInt64.random(in: .min ... .max), radix: 16))"

        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        defer {
            unmountAll(below: directory)
            do {
                try FileDescriptor.currentDirectory.removeTree(directory)
            } catch {
                Issue.record("\(directory) cannot be removed: \(error)")
            }
        }
        try FileDescriptor.currentDirectory.makeDirectory(directory + "/context", mode: 0o755)
        let store = try ImageStore(root: directory + "/store")
        let fixture = BuildFixture(directory: directory, store: store, base: try makeBase(store, directory: directory))
        try body(fixture)
        #expect(
            try store.containers(includingBuilds: true).filter(\.isBuild).isEmpty, "no container of a build is left")
        #expect(mounts(below: directory).isEmpty, "no mount is left")
        #expect(try FileDescriptor.open(store.root + "/tmp", [.directory]).sortedEntryNames().isEmpty)
    }

    /// Busybox, its applets, users in `/etc`, a directory with attributes of its own, and some links.
    private static func makeBase(_ store: ImageStore, directory: String) throws -> ImageRecord {
        let tree = directory + "/tree"
        try shell(
            """
            mkdir -p \(tree)/bin \(tree)/etc \(tree)/data/inner \(tree)/tmp
            chmod 1777 \(tree)/tmp
            cp /bin/busybox \(tree)/bin/busybox
            for applet in sh cat echo id env pwd true false ls touch rm mv mkdir chmod ln stat sleep printf test seq \
                dd head; do ln -s busybox \(tree)/bin/$applet; done
            printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1001::/home/app:/bin/sh\\n' > \(tree)/etc/passwd
            printf 'root:x:0:\\napp:x:1001:\\naudio:x:29:\\n' > \(tree)/etc/group
            echo old > \(tree)/data/file
            chown 7:8 \(tree)/data; chmod 2770 \(tree)/data; touch -d @1000000 \(tree)/data
            ln -s data \(tree)/link-to-directory
            ln -s data/file \(tree)/link-to-file
            ln -s /nowhere/at/all \(tree)/dangling
            tar -C \(tree) --numeric-owner -cf \(directory)/base.tar .
            rm -r \(tree)
            """)
        return try importBase(store, directory: directory)
    }

    private static func importBase(_ store: ImageStore, directory: String) throws -> ImageRecord {
        let layer = try store.importLayer(from: try FileDescriptor.open(directory + "/base.tar"))
        var configuration = ImageConfiguration(created: Timestamp(seconds: 1_700_000_000))
        configuration.config.env = ["PATH=/bin"]
        configuration.config.cmd = ["sh"]
        configuration.history = [History(created: configuration.created, createdBy: "import")]
        let image = try store.createImage(
            configuration: configuration, layers: [layer.id], tags: [try Reference(parsing: "busybox")])
        try store.releaseLeases()
        return image
    }

    /// Another store with the same base image, and the same context.
    func elsewhere(_ name: String = "elsewhere") throws -> BuildFixture {
        let store = try ImageStore(root: "\(directory)/\(name)")
        return BuildFixture(
            directory: directory, store: store, base: try Self.importBase(store, directory: directory))
    }

    // MARK: The context

    /// Writes a file of the context.
    func write(_ path: String, _ text: String, mode: UInt32 = 0o644) throws {
        var parent = context
        for name in path.split(separator: "/").dropLast() {
            parent += "/" + name
            try? FileDescriptor.currentDirectory.makeDirectory(parent, mode: 0o755)
        }
        let file = try FileDescriptor.open("\(context)/\(path)", [.writeOnly, .create, .truncate], mode: mode)
        try file.setMode(mode)
        try file.writeAll(text)
    }

    // MARK: Building

    /// What a build said.
    final class Log: Sendable {
        private let events = Mutex<[ProgressEvent]>([])
        func add(_ event: ProgressEvent) { events.withLock { $0.append(event) } }
        var all: [ProgressEvent] { events.withLock { $0 } }

        /// Everything as a log shows it.
        var text: String {
            var progress = PlainProgress()
            return String(decoding: all.flatMap { progress.render($0) }, as: UTF8.self)
        }

        /// What commands printed.
        var output: String {
            String(
                decoding: all.flatMap { event -> [UInt8] in
                    if case .output(_, _, let bytes) = event { bytes } else { [] }
                }, as: UTF8.self)
        }
    }

    /// A finished build.
    struct Built {
        var result: BuildResult
        var image: ImageRecord
        var log: Log
    }

    /// Builds the context with a Dockerfile given as text.
    @discardableResult
    func build(
        _ dockerfile: String, tag: String? = nil, _ change: (inout BuildOptions) -> Void = { _ in }
    ) throws -> Built {
        let log = Log()
        return try build(dockerfile, tag: tag, log: log, change)
    }

    func build(
        _ dockerfile: String, tag: String? = nil, log: Log, cancellation: Cancellation? = nil,
        _ change: (inout BuildOptions) -> Void = { _ in }
    ) throws -> Built {
        var options = BuildOptions(context: context)
        options.dockerfile = .text(Array(dockerfile.utf8))
        options.tags = try tag.map { [try Reference(parsing: $0)] } ?? []
        change(&options)
        let result = try Builder(store: store).build(options, cancellation: cancellation) { log.add($0) }
        return Built(result: result, image: try store.image(id: result.imageID), log: log)
    }

    /// The error that a build ends with.
    func failure(
        _ dockerfile: String, log: Log = Log(), _ change: (inout BuildOptions) -> Void = { _ in }
    ) throws -> BuildError {
        do {
            _ = try build(dockerfile, log: log, change)
        } catch let error as BuildError {
            return error
        }
        struct NoFailure: Error {}
        Issue.record("the build did not fail")
        throw NoFailure()
    }

    // MARK: Looking at images

    /// A listing of a layer's directory as it is on disk, one line for each file: `type mode uid:gid path`, with `->`
    /// and the target of a link.
    func layer(_ image: ImageRecord, _ index: Int) throws -> [String] {
        try listing(of: store.layerPath(image.layerIDs[index]))
    }

    /// The listing of what the last step of the image made.
    func lastLayer(_ built: Built) throws -> [String] {
        try layer(built.image, built.image.layerIDs.count - 1)
    }

    func listing(of path: String) throws -> [String] {
        try shell(
            "cd \(path) && find . -mindepth 1 -printf '%y %m %U:%G %P' '(' -type l -printf ' -> %l' ')' , -printf '\\n'"
        )
        .split(separator: "\n").map(String.init).sorted { $0.split(separator: " ")[3] < $1.split(separator: " ")[3] }
    }

    /// The text of a file of an image.
    func text(_ path: String, in image: ImageRecord) throws -> String? {
        let root = try TreeDirectory(layers: store.lowerPaths(image.layerIDs), marks: store.marks)
        guard let location = try root.resolve(TreePath.names(path)), let entry = location.entry else { return nil }
        return String(decoding: try location.parent.openFile(entry).readAll(), as: UTF8.self)
    }

    /// What a file of an image says of itself.
    func status(_ path: String, in image: ImageRecord) throws -> FileStatus? {
        let root = try TreeDirectory(layers: store.lowerPaths(image.layerIDs), marks: store.marks)
        return try root.resolve(TreePath.names(path), followsLast: false)?.entry?.status
    }
}

/// A script that failed.
struct ScriptFailure: Error {
    var script: String
    var status: Int32
}

/// Runs a script on the host and returns what it printed.
@discardableResult
func shell(_ script: String) throws -> String {
    let pipe = try FileDescriptor.pipe()
    let write = pipe.write.rawValue
    let child = try ChildProcess.spawn("/bin/sh", arguments: ["sh", "-ec", script], descriptors: [0, write, 2])
    let read = pipe.keepRead()
    let output = try read.readAll()
    let status = try child.wait().shellStatus
    if status != 0 { throw ScriptFailure(script: script, status: status) }
    return String(decoding: output, as: UTF8.self)
}

/// Mount points below a directory.
func mounts(below directory: String) -> [String] {
    guard let file = try? FileDescriptor.open("/proc/self/mountinfo"), let bytes = try? file.readAll() else {
        return []
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
        line.split(separator: " ").dropFirst(4).first.map(String.init)
    }.filter { $0.hasPrefix(directory + "/") }
}

func unmountAll(below directory: String) {
    for mount in mounts(below: directory).reversed() {
        Issue.record("\(mount) was left mounted")
        try? Mount.unmount(mount, flags: [.detach, .noFollow])
    }
}
