import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import Runtime

/// Unmounting takes away what the store mounted, and nothing that others put at the same place.
@Suite(.serialized) struct OwnMountTests {
    /// Something of others': a directory in memory with a file in it, which must outlive the test's body.
    private struct Foreign {
        let path: String

        static func with(_ path: String, _ body: () throws -> Void) throws {
            try Mount.mount(source: "tmpfs", target: path, type: "tmpfs")
            defer { while (try? Mount.unmount(path, flags: [.detach, .noFollow])) != nil {} }
            try write("theirs\n", to: path + "/theirs")
            try body()
            #expect(try read(path + "/theirs") == "theirs\n", "what others mounted is there")
        }

        /// Mounts over a place and takes it away again after.
        static func over(_ path: String, _ body: () throws -> Void) throws {
            try Mount.mount(source: "tmpfs", target: path, type: "tmpfs")
            var isMounted = true
            defer { if isMounted { try? Mount.unmount(path, flags: [.detach, .noFollow]) } }
            try write("theirs\n", to: path + "/theirs")
            try body()
            #expect(try read(path + "/theirs") == "theirs\n", "what others mounted is there")
            try Mount.unmount(path)
            isMounted = false
        }
    }

    private func withPlace(_ body: (Fixture, String) throws -> Void) throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                try makeDirectory(directory + "/place")
                try body(fixture, directory + "/place")
            }
        }
    }

    private func end(_ server: ProcessIdentity, _ fixture: Fixture) throws {
        try Supervision.signal(Signals.kill, pid: server.pid)
        try fixture.eventually("the server is gone") {
            Supervision.reap(server.pid)
            return !server.isAlive
        }
    }

    // MARK: Mounted over

    @Test func whatIsMountedOverAMountStays() throws {
        try withPlace { fixture, place in
            try fixture.engine.mount(fixture.image, at: place)
            try Foreign.over(place) { () throws in
                let error = #expect(throws: RuntimeError.self) { try fixture.engine.unmount(place) }
                #expect(error?.code == .busy)
                #expect(try fixture.engine.mounts().map(\.mountPoint) == [place])
            }
            #expect(try read("\(place)/data/file") == "from the image\n")
            try fixture.engine.unmount(place)
            #expect(MountTable.current().mount(at: place) == nil)
        }
    }

    @Test func whatIsMountedOverADeadMountStays() throws {
        try withPlace { fixture, place in
            let mount = try fixture.engine.mount(fixture.image, at: place)
            try end(mount.server, fixture)
            try Foreign.over(place) { () throws in
                fixture.engine.reconcile()
                fixture.engine.reconcile()
            }
            #expect(try fixture.engine.mounts().isEmpty)
            #expect(MountTable.current().mount(at: place) == nil)
        }
    }

    @Test func aServerThatIsToldToEndLeavesWhatIsMountedOverItsMount() throws {
        try withPlace { fixture, place in
            let mount = try fixture.engine.mount(fixture.image, at: place)
            try Foreign.over(place) { () throws in
                try Supervision.signal(Signals.terminate, pid: mount.server.pid)
                try fixture.eventually("the server is gone") {
                    Supervision.reap(mount.server.pid)
                    return !mount.server.isAlive
                }
            }
            #expect(try fixture.engine.mounts().isEmpty)
            #expect(MountTable.current().mount(at: place) == nil)
        }
    }

    // MARK: Something else in the place

    @Test(arguments: [true, false])
    func aMountThatIsGoneIsForgottenAndItsPlaceLeftAlone(hasIdentity: Bool) throws {
        try withPlace { fixture, place in
            try fixture.engine.mount(fixture.image, at: place)
            if !hasIdentity { try forgetIdentities(fixture) }
            try onHost("umount \(place)")
            try Foreign.with(place) { () throws in
                try fixture.engine.unmount(place)
                #expect(try fixture.store.mounts().isEmpty)
            }
        }
    }

    @Test(arguments: [true, false])
    func aSymbolicLinkInTheWayLeadsToNothing(isServed: Bool) throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                for name in ["above", "above/place", "others", "others/place"] {
                    try makeDirectory("\(directory)/\(name)")
                }
                let place = "\(directory)/above/place"
                let mount = try fixture.engine.mount(fixture.image, at: place)
                try FileDescriptor.currentDirectory.rename(
                    "\(directory)/above", to: FileDescriptor.currentDirectory, "\(directory)/moved")
                try makeLink("\(directory)/above", to: "\(directory)/others")
                try Foreign.with("\(directory)/others/place") { () throws in
                    if isServed {
                        try fixture.engine.unmount(place)
                    } else {
                        try end(mount.server, fixture)
                        fixture.engine.reconcile()
                    }
                    #expect(try fixture.store.mounts().isEmpty)
                    // Where it is now, not where the link leads.
                    #expect(MountTable.current().mount(at: "\(directory)/moved/place") == nil)
                }
            }
        }
    }

    @Test func aLinkToAnotherMountOfTheStoreLeavesThatOne() throws {
        try withPlace { fixture, place in
            try withTemporaryDirectory { other in
                try fixture.engine.mount(fixture.image, at: place)
                try fixture.engine.mount(fixture.image, at: other)
                try onHost("umount \(place) && rmdir \(place) && ln -s \(other) \(place)")
                try fixture.engine.unmount(place)
                #expect(try fixture.engine.mounts().map(\.mountPoint) == [other])
                #expect(try read("\(other)/data/file") == "from the image\n")
                try fixture.engine.unmount(other)
            }
        }
    }

    @Test func aRecordOfAnEarlierVersionIsUnmountedByPlaceAndKind() throws {
        try withPlace { fixture, place in
            try fixture.engine.mount(fixture.image, at: place)
            try forgetIdentities(fixture)
            #expect(try fixture.store.mounts().map(\.identity) == [nil])
            try Foreign.over(place) { () throws in
                #expect(throws: RuntimeError.self) { try fixture.engine.unmount(place) }
            }
            try fixture.engine.unmount(place)
            #expect(MountTable.current().mount(at: place) == nil)
        }
    }

    private func forgetIdentities(_ fixture: Fixture) throws {
        try onHost("sqlite3 \(fixture.root)/catalog.sqlite 'UPDATE mounts SET mount_id = NULL, device = NULL'")
    }

    @Test func aHelperThatMountsSomethingElseFailsAndNothingIsUnmounted() throws {
        try withTemporaryDirectory { directory in
            for name in ["lower", "place"] { try makeDirectory("\(directory)/\(name)") }
            try write(
                """
                #!/bin/sh
                mount -t tmpfs tmpfs "$4" && echo theirs > "$4/theirs"
                echo "helper: no" >&2
                exit 1
                """, to: "\(directory)/helper", mode: 0o755)
            let place = "\(directory)/place"
            defer { try? Mount.unmount(place, flags: [.detach, .noFollow]) }
            let error = #expect(throws: RuntimeError.self) {
                try UnionMount.mount(
                    MountHelper(path: "\(directory)/helper"), lowers: ["\(directory)/lower"], at: place)
            }
            #expect(error?.code == .mountFailed)
            #expect(try read("\(place)/theirs") == "theirs\n")
        }
    }

    @Test func anotherMountNamespacesCopyIsUnmountedToo() throws {
        try withPlace { fixture, place in
            try fixture.engine.mount(fixture.image, at: place)
            let record = try #require(try fixture.store.mounts().first)
            let here = try #require(record.identity)
            try PrivateThread.run { () throws(Errno) in
                try Mount.unshare(.mount)
                try Mount.mount(source: nil, target: "/", flags: [.private, .recursive])
                let copy = try MountPlace(place).identity()
                if copy == here { throw .EEXIST }
                let outcome = try? OwnMount(record).unmount()
                if outcome != .done { throw .EBUSY }
            }
            #expect(try MountPlace(place).identity() == here)
            try fixture.engine.unmount(place)
        }
    }

    // MARK: Containers

    @Test func whatIsMountedInAContainersDirectoryKeepsItFromBeingRemoved() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["true"])
            _ = try fixture.run(container)
            let paths = fixture.store.containerPaths(container.id)
            for place in [paths.rootfs, paths.upper] {
                try Foreign.over(place) { () throws in
                    let error = #expect(throws: RuntimeError.self) {
                        try fixture.engine.remove(container.id, force: true)
                    }
                    #expect(error?.code == .conflict)
                    #expect(error?.message.contains(place) == true, "\(error?.message ?? "")")
                    #expect(try fixture.record(container).id == container.id)
                }
            }
            try fixture.engine.remove(container.id, force: true)
            #expect(try fixture.store.containers().isEmpty)
        }
    }

    @Test func aLinkInPlaceOfARootFileSystemLeadsToNothing() throws {
        try Fixture.run { fixture in
            try withTemporaryDirectory { directory in
                let container = try fixture.create(["true"])
                let paths = fixture.store.containerPaths(container.id)
                try FileDescriptor.currentDirectory.removeDirectory(paths.rootfs)
                try makeLink(paths.rootfs, to: directory)
                try Foreign.with(directory) { () throws in
                    try fixture.engine.remove(container.id, force: true)
                }
                #expect(try fixture.store.containers().isEmpty)
            }
        }
    }

    @Test func anAbandonedStepIsKeptWhileSomethingElseIsMountedInIt() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            let secrets = try mount.privateDirectory()
            try fixture.store.updateContainer(mount.id) { $0.supervisor = ProcessIdentity(pid: 1, startTime: 12345) }
            mount.releaseLockForTesting()
            try Foreign.over(mount.rootfs) { () throws in
                try Foreign.over(secrets) { () throws in
                    fixture.engine.reconcile()
                    #expect(try fixture.store.containers(includingBuilds: true).map(\.id) == [mount.id])
                }
            }
            fixture.engine.reconcile()
            #expect(try fixture.store.containers(includingBuilds: true).isEmpty)
            #expect(fixture.mounts.isEmpty)
        }
    }

    /// What a step of a version that left no such notes, or none at all, left behind.
    @Test func anAbandonedStepWithoutNotesIsCleanedUp() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            _ = try mount.mountStack(fixture.store.lowerPaths(fixture.image.layerIDs), isWritable: true)
            _ = try mount.privateDirectory()
            let paths = fixture.store.containerPaths(mount.id)
            try onHost("find \(paths.directory) -xdev -name mount.json -delete")
            try fixture.store.updateContainer(mount.id) { $0.supervisor = ProcessIdentity(pid: 1, startTime: 12345) }
            mount.releaseLockForTesting()
            fixture.engine.reconcile()
            #expect(try fixture.store.containers(includingBuilds: true).isEmpty)
            #expect(fixture.mounts.isEmpty)
        }
    }
}
