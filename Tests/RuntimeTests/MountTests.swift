import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import Runtime

/// Images and containers as directories, and volumes.
@Suite(.serialized) struct MountTests {
    @Test func anImageIsADirectoryThatCannotBeWritten() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                let mount = try fixture.engine.mount(fixture.image, at: directory)
                #expect(mount.readOnly)
                #expect(try read("\(directory)/data/file") == "from the image\n")
                #expect(throws: Errno.EROFS) {
                    _ = try FileDescriptor.open("\(directory)/new", [.writeOnly, .create], mode: 0o644)
                }
                let busy = #expect(throws: RuntimeError.self) {
                    try fixture.engine.mount(fixture.image, at: directory)
                }
                #expect(busy?.code == .busy)
                let used = #expect(throws: StoreError.self) {
                    try fixture.store.removeImage("bb", force: true)
                }
                #expect(used?.code == .conflict)
                #expect(try fixture.engine.mounts().map(\.mountPoint) == [directory])
                try fixture.engine.unmount(directory)
                #expect(try fixture.engine.mounts().isEmpty)
                #expect(MountTable.current().mount(at: directory) == nil)
                #expect(!mount.server.isAlive)
                let gone = #expect(throws: RuntimeError.self) { try fixture.engine.unmount(directory) }
                #expect(gone?.code == .notFound)
            }
        }
    }

    @Test func placesThatCannotBeMountedOn() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                try write("x", to: "\(directory)/file")
                for place in ["\(directory)/missing", "\(directory)/file"] {
                    #expect(throws: RuntimeError.self) { try fixture.engine.mount(fixture.image, at: place) }
                }
                #expect(try fixture.store.mounts().isEmpty)
            }
        }
    }

    @Test func aContainersMountTakesWritesThatAreCommitted() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                let container = try fixture.create(["cat", "/data/file"])
                try fixture.engine.mount(container, at: directory)
                try write("edited outside\n", to: "\(directory)/data/file")
                let mounted = #expect(throws: RuntimeError.self) { try fixture.run(container) }
                #expect(mounted?.code == .conflict)
                #expect(throws: RuntimeError.self) { try fixture.engine.remove(container.id, force: true) }
                try fixture.engine.unmount(container.name)

                #expect(try fixture.run(container).output == "edited outside\n")
                var options = CommitOptions()
                options.tags = [try Reference(parsing: "edited")]
                options.message = "by hand"
                options.author = "me"
                let image = try fixture.engine.commit(container.id, options) { $0.env.append("COMMITTED=1") }
                #expect(image.layerIDs.count == 2)
                #expect(image.layerIDs.first == fixture.image.layerIDs.first)
                #expect(image.configuration.history.last?.comment == "by hand")
                #expect(image.configuration.author == "me")
                #expect(image.configuration.config.env.contains("COMMITTED=1"))
                #expect(image.configuration.config.cmd == ["cat", "/data/file"])
                let next = try fixture.engine.create(ContainerOptions(), image: image)
                #expect(try fixture.run(next).output == "edited outside\n")
            }
        }
    }

    @Test func aRunningContainerIsShownAsItRuns() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                let container = try fixture.create(["sh", "-c", "echo now > /now; sleep 1000"])
                try fixture.engine.startDetached(container.id)
                try fixture.engine.mount(try fixture.record(container), at: directory, permissions: .others)
                try fixture.eventually("the file is seen") {
                    (try? read("\(directory)/now")) == "now\n"
                }
                let image = try fixture.engine.commit(container.id)
                #expect(image.layerIDs.count == 2)
                try fixture.engine.kill(container.id)
                #expect(MountTable.current().mount(at: directory) == nil)
                #expect(try fixture.engine.mounts().isEmpty)
                #expect(fixture.mounts.isEmpty)
            }
        }
    }

    @Test func aMountWhoseServerDiedIsCleanedUpAfter() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                let mount = try fixture.engine.mount(fixture.image, at: directory)
                try Supervision.signal(Signals.kill, pid: mount.server.pid)
                try fixture.eventually("the server is gone") { !mount.server.isAlive }
                #expect(try fixture.engine.mounts().isEmpty)
                #expect(MountTable.current().mount(at: directory) == nil)
            }
        }
    }

    /// Whoever makes a mount namespace gets a copy of every mount, which must keep no build step and no container waiting.
    @Test func copiesInOtherMountNamespacesDoNotKeepIt() throws {
        try withTemporaryDirectory { directory in
            for name in ["lower", "upper", "work", "mount"] { try makeDirectory("\(directory)/\(name)") }
            let mount = try UnionMount.mount(
                try MountHelper.find(in: .current()), lowers: ["\(directory)/lower"], upper: "\(directory)/upper",
                work: "\(directory)/work", at: "\(directory)/mount")
            defer { try? mount.unmount() }
            let other = try ChildProcess.spawn(
                "unshare",
                arguments: [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c",
                    "exec 3<'\(directory)/mount'; touch '\(directory)/there'; exec sleep 1000",
                ], newSession: true)
            defer {
                try? other.signal(Signals.kill)
                _ = try? other.wait()
            }
            #expect(
                waitUntil { (try? FileDescriptor.currentDirectory.status(of: "\(directory)/there")) != nil })
            try write("text", to: "\(directory)/mount/file")
            let start = MonotonicClock.milliseconds
            try mount.unmount()
            #expect(MonotonicClock.milliseconds - start < 8000)
            #expect(!mount.serverIsAlive)
            #expect(try read("\(directory)/upper/file") == "text")
        }
    }

    @Test(arguments: [200, 1500])
    func manyLayers(_ count: Int) throws {
        try withTemporaryDirectory { directory in
            // With names so long that 1500 of them exceed what Linux takes as one argument.
            let names = (0..<count).map { "layer-\(String(repeating: "x", count: 64))-\($0)" }
            for (index, name) in names.enumerated() {
                try makeDirectory("\(directory)/\(name)")
                try write("\(index)", to: "\(directory)/\(name)/file-\(index)")
                try write("\(index)", to: "\(directory)/\(name)/top")
            }
            for name in ["upper", "work", "mount"] { try makeDirectory("\(directory)/\(name)") }
            let mount = try UnionMount.mount(
                try MountHelper.find(in: .current()), lowers: names.map { "\(directory)/\($0)" },
                upper: "\(directory)/upper", work: "\(directory)/work", at: "\(directory)/mount", base: directory)
            defer { try? mount.unmount() }
            #expect(try read("\(directory)/mount/top") == "0")
            #expect(try read("\(directory)/mount/file-\(count - 1)") == "\(count - 1)")
            try mount.unmount()
            #expect(MountTable.current().mount(at: "\(directory)/mount") == nil)
        }
    }

    // MARK: Volumes

    @Test func hostDirectoriesAndFiles() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                try write("host\n", to: "\(directory)/file")
                let outcome = try fixture.shell(
                    "cat /mnt/dir/file /one; echo guest > /mnt/dir/new; echo no > /ro/x; echo $?"
                ) {
                    $0.volumes = ["\(directory):/mnt/dir", "\(directory)/file:/one", "\(directory):/ro:ro"]
                }
                #expect(outcome.output == "host\nhost\n1\n")
                #expect(try read("\(directory)/new") == "guest\n")
                #expect(
                    try FileDescriptor.currentDirectory.statusIfPresent(of: "\(directory)/x") == nil)
                let container = try #require(try fixture.store.containers().first)
                #expect(try fixture.engine.diff(container.id).filter { $0.path != "/" } == [])
            }
        }
    }

    @Test func namedVolumesOutliveContainersAndStartWithTheImagesFiles() throws {
        try Fixture.run { fixture in
            let first = try fixture.shell("cat /data/file; echo second >> /data/file") { $0.volumes = ["vol:/data"] }
            #expect(first.output == "from the image\n")
            let second = try fixture.shell("cat /data/file") { $0.volumes = ["vol:/data"] }
            #expect(second.output == "from the image\nsecond\n")
            // Names of one file stay so.
            let links = try fixture.shell("stat -c %h /data/file; cat /data/second") { $0.volumes = ["vol:/data"] }
            #expect(links.output == "2\nfrom the image\nsecond\n")
            for container in try fixture.store.containers() {
                try fixture.engine.remove(container.id, withVolumes: true)
            }
            #expect(try Volumes(fixture.store).names() == ["vol"])
            try Volumes(fixture.store).remove("vol")
            #expect(try Volumes(fixture.store).names().isEmpty)
        }
    }
}
