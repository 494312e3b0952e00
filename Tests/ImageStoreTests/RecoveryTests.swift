import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

/// What dead processes, full disks and several processes at once leave.
@Suite struct RecoveryTests {
    @Test func leftoversOfTheDeadAreRemoved() throws {
        let test = try TemporaryStore()
        let kept = try test.image("kept", tags: ["kept"])
        try test.store.releaseLeases()
        // What a process that was killed leaves: an unlocked directory in tmp.
        try shell(
            "mkdir -p tmp/dead/layer/fs; echo x > tmp/dead/layer/fs/f; echo y > tmp/stray",
            in: test.directory + "/store")
        // And what one that lives is working on.
        try shell("mkdir tmp/living", in: test.directory + "/store")
        let living = try FileDescriptor.open(test.directory + "/store/tmp/living", [.directory])
        #expect(try living.lock(exclusive: true))
        _ = try test.reopened()
        #expect(try test.names(in: "tmp") == ["living"])
        try living.close()
        let store = try test.reopened()
        #expect(try test.names(in: "tmp") == [])
        #expect(try store.images().map(\.id) == [kept.id])
    }

    /// A process killed with a lease: its layers go when the store is opened next.
    @Test func leasesOfTheDeadAreDropped() throws {
        let test = try TemporaryStore()
        let base = try test.layer("echo x > f")
        _ = try test.image(layers: [base.id], "x", tags: ["x"])
        let orphan = try test.layer("echo y > f")
        try test.store.releaseLeases()
        #expect(try test.names(in: "layers") == [base.id.rawValue])
        #expect(throws: StoreError.self) { try test.store.layer(orphan.id) }
        // A number that no process has.
        let database = test.directory + "/store/catalog.sqlite"
        try shell(
            """
            mkdir -p store/layers/dead/fs store/layers/stray/fs store/containers/stray
            sqlite3 \(database) "INSERT INTO layers (id, created_at) VALUES ('dead', '2024-01-01T00:00:00Z');
            INSERT INTO leases SELECT number, 4194304, 1, 'o' FROM layers WHERE id = 'dead'"
            """, in: test.directory)
        let store = try test.reopened()
        #expect(try test.names(in: "layers") == [base.id.rawValue])
        #expect(try test.names(in: "containers") == [])
        #expect(try store.layers().map(\.id) == [base.id])
    }

    /// Layers that no image made durable do not survive a crash of the machine; those of images do.
    @Test func unsyncedLayersOfEarlierBootsAreForgotten() throws {
        let test = try TemporaryStore()
        let image = try test.image("kept", tags: ["kept"])
        let cached = try test.layer("echo y > f")
        try test.store.putCacheRecord(CacheRecord(key: "k", layerID: cached.id))
        try test.store.releaseLeases()
        #expect(try test.reopened().layers().count == 2)
        let query = "SELECT count(*) FROM layers WHERE unsynced_boot IS NOT NULL"
        #expect(try shell("sqlite3 store/catalog.sqlite '\(query)'", in: test.directory) == "1\n")
        try shell(
            """
            sqlite3 store/catalog.sqlite "UPDATE layers SET unsynced_boot = 'x' WHERE unsynced_boot IS NOT NULL;
            UPDATE facts SET value = 'x' WHERE name = 'boot'"
            """,
            in: test.directory)
        let store = try test.reopened()
        #expect(try store.layers().map(\.id) == image.layerIDs)
        #expect(try store.cacheRecords() == [])
        #expect(try test.names(in: "layers") == image.layerIDs.map(\.rawValue))
    }

    @Test func killedImportLeavesNothing() throws {
        let test = try TemporaryStore()
        try shell("head -c 30M /dev/urandom > big; tar -cf archive big", in: test.directory)
        // The archive stops in the middle, as if its writer had been killed.
        var pipe = try FileDescriptor.pipe()
        let child = try ChildProcess.spawn(
            "head", arguments: ["head", "-c", "20000000", test.directory + "/archive"],
            descriptors: [0, pipe.write.rawValue, 2])
        let read = pipe.keepRead()
        pipe = try FileDescriptor.pipe()
        let error = importing(read, into: test.store)
        #expect(error?.code == .badArchive)
        _ = try child.wait()
        try test.expectNothingUnfinished()
        #expect(try test.names(in: "layers") == [])
    }

    private func importing(_ file: borrowing FileDescriptor, into store: ImageStore) -> StoreError? {
        do throws(StoreError) {
            _ = try store.importLayer(from: file)
            return nil
        } catch {
            return error
        }
    }

    @Test func fullDiskLeavesNothing() throws {
        let test = try TemporaryStore()
        try shell("mkdir small; mount -t tmpfs -o size=8m tmpfs small", in: test.directory)
        defer { _ = try? shell("umount -l small", in: test.directory) }
        try shell(
            "head -c 20M /dev/urandom > big; tar -czf archive big; tar -cf fits -C /etc passwd", in: test.directory)
        let store = try ImageStore(root: test.directory + "/small/store")
        let error = #expect(throws: StoreError.self) { try store.importFile(test.directory + "/archive") }
        #expect(error?.code == .noSpace)
        #expect(error?.message.contains("big") == true)
        #expect(try shell("ls -A tmp layers", in: test.directory + "/small/store") == "layers:\n\ntmp:\n")
        #expect(try store.layers() == [])
        // And there is room again.
        #expect(try store.importFile(test.directory + "/fits").archiveSize > 0)
    }

    @Test func severalImportTheSameAtOnce() async throws {
        let test = try TemporaryStore()
        try test.tree("tree", "for i in $(seq 200); do head -c 3000 /dev/urandom > f$i; done")
        try shell("tar -cf archive -C tree .", in: test.directory)
        let root = test.directory + "/store"
        let archive = test.directory + "/archive"
        let records = try await withThrowingTaskGroup(of: LayerRecord.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let store = try ImageStore(root: root)
                    let layer = try store.importFile(archive)
                    try store.createImage(
                        configuration: ImageConfiguration(created: Timestamp(seconds: 1)), layers: [layer.id],
                        tags: [Reference(parsing: "same")])
                    return layer
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(records.map(\.id)).count == 1)
        #expect(try test.store.images().count == 1)
        #expect(try test.names(in: "layers") == [records[0].id.rawValue])
        try test.expectNothingUnfinished()
    }

    @Test func severalWriteTheCatalogAtOnce() async throws {
        let test = try TemporaryStore()
        let layer = try test.layer("echo x > f")
        let root = test.directory + "/store"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let store = try ImageStore(root: root)
                    for step in 0..<10 {
                        let container = try store.createContainer(NewContainer(layerIDs: [layer.id]))
                        try store.updateContainer(container.id) { $0.state = .running }
                        try store.putCacheRecord(CacheRecord(key: "\(number)-\(step)", layerID: layer.id))
                        if step % 2 == 0 { try store.removeContainer(container.id) }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try test.store.containers().count == 40)
        #expect(try test.names(in: "containers").count == 40)
        #expect(try test.store.cacheRecords().count == 80)
    }

    @Test func storesOfTheFutureAreRefused() throws {
        let test = try TemporaryStore()
        try shell("sqlite3 store/catalog.sqlite 'PRAGMA user_version = 99'", in: test.directory)
        let error = #expect(throws: StoreError.self) { try test.reopened() }
        #expect(error?.code == .corrupt)
        #expect(error?.remedy != nil)
    }

    /// Takes from the cache what format 6 brought.
    private static let untyped = """
        ALTER TABLE cache DROP COLUMN kind; ALTER TABLE cache RENAME COLUMN value TO configuration_delta;
        """

    /// Format 5 had only keys to tell what a record of the cache is about.
    @Test func recordsOfTheCacheGetTheirKinds() throws {
        let test = try TemporaryStore()
        let layer = try test.layer("echo x > f")
        let result = StepResult(created: Timestamp(seconds: 7), hasLayer: true, parent: "p")
        let records = [
            CacheRecord(key: "content:1", .selection(.sha256(of: "x")), layerID: nil),
            CacheRecord(key: "context:1:2", .files(Data([0, 255, 1])), layerID: nil),
            CacheRecord(key: "squash:a:b", .layer, layerID: layer.id),
            CacheRecord(key: "step:1", .step(result), layerID: layer.id),
            CacheRecord(key: "times:a:1", .layer, layerID: layer.id),
        ]
        let inputs = StepInputs(parent: "below", text: "RUN true", data: Data([1, 2]))
        for record in records {
            try test.store.putCacheRecord(record, inputs: record.kind == .step ? inputs : nil)
        }
        try shell(
            "sqlite3 store/catalog.sqlite 'DROP TABLE events; \(Self.untyped) PRAGMA user_version = 5'",
            in: test.directory)
        let store = try test.reopened()
        #expect(try store.cacheRecords().sorted { $0.key < $1.key } == records)
        #expect(try store.stepInputs(parent: "below", text: nil)?.data == inputs.data)
        #expect(try shell("sqlite3 store/catalog.sqlite 'PRAGMA user_version'", in: test.directory) == "6\n")
    }

    /// Format 3 did not know what steps of the cache were made from, format 4 not which mount a record is of, and format 5 no
    /// events.
    @Test(arguments: [3, 4, 5]) func storesOfThePastAreBroughtUpToDate(format: Int) throws {
        let test = try TemporaryStore()
        let server = ProcessIdentity.current
        try test.store.addMount(MountRecord(mountPoint: "/old", layerIDs: [], readOnly: true, server: server))
        var older = "DROP TABLE events;" + Self.untyped
        if format < 5 {
            older += "ALTER TABLE mounts DROP COLUMN mount_id; ALTER TABLE mounts DROP COLUMN device;"
        }
        if format < 4 { older += "DROP TABLE step_inputs;" }
        try shell(
            "sqlite3 store/catalog.sqlite '\(older) PRAGMA user_version = \(format)'", in: test.directory)
        let store = try test.reopened()
        let inputs = StepInputs(parent: "below", text: "RUN true", data: Data([1, 2]))
        try store.putCacheRecord(CacheRecord(key: "step:1", layerID: nil), inputs: inputs)
        #expect(try store.stepInputs(parent: "below", text: nil)?.data == inputs.data)
        let identity = MountIdentity(id: 1 << 63 | 7, device: 9)
        try store.addMount(
            MountRecord(mountPoint: "/new", layerIDs: [], readOnly: true, server: server, identity: identity))
        #expect(try store.mounts().map(\.mountPoint) == ["/old", "/new"])
        #expect(try store.mounts().map(\.identity) == [nil, identity])
        try store.record([StoreEvent(.builder, "test", of: "x")])
        #expect(try store.events().map(\.action) == ["test"])
        #expect(try shell("sqlite3 store/catalog.sqlite 'PRAGMA user_version'", in: test.directory) == "6\n")
    }
}
