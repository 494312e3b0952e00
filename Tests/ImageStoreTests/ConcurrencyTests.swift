import ImageStore
import Linux
import OCI
import Testing

/// Several handles at once, as of several processes: whatever the order, nothing that somebody needs goes.
@Suite struct ConcurrencyTests {
    /// Images are made, tagged, used and removed while others prune and check all the time.
    @Test func makingAndPruning() async throws {
        let (test, root, archive) = try Self.storeAndBase(
            "for i in $(seq 20); do echo $i > f$i; done; touch -d @1 f* .")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let store = try ImageStore(root: root)
                    for round in 0..<12 {
                        try Self.makeAndUse(store, archive, name: "w\(worker)", round: round)
                    }
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    let store = try ImageStore(root: root)
                    var selection = PruneSelection()
                    selection.images = .dangling
                    selection.cache = .all
                    for _ in 0..<30 {
                        try store.prune(selection)
                        _ = try store.diskUsage()
                    }
                }
            }
            group.addTask {
                let store = try ImageStore(root: root)
                for _ in 0..<10 { #expect(try store.check().findings == []) }
            }
            try await group.waitForAll()
        }
        // The names are there, each with all its layers.
        let images = try test.store.images()
        #expect(
            Set(images.flatMap(\.references).map(\.familiar)) == ["w0:latest", "w1:latest", "w2:latest", "w3:latest"])
        #expect(try test.store.check().findings == [])
        for worker in 0..<4 { try test.store.removeImage("w\(worker)") }
        var rest = PruneSelection()
        rest.images = .all
        rest.cache = .all
        try test.store.prune(rest)
        #expect(try test.names(in: "layers") == [])
        #expect(try test.names(in: "blobs/sha256") == [])
        try test.expectNothingUnfinished()
    }

    /// A store, the path that others open it by, and the archive of a layer that `script` fills.
    private static func storeAndBase(_ script: String) throws -> (TemporaryStore, root: String, archive: String) {
        let test = try TemporaryStore()
        try test.tree("tree", script)
        try shell("tar -cf base.tar -C tree .", in: test.directory)
        return (test, test.directory + "/store", test.directory + "/base.tar")
    }

    /// One build: the same base layer as everybody's, a layer of its own, a cache record, an image, a container on it.
    private static func makeAndUse(_ store: ImageStore, _ archive: String, name: String, round: Int) throws {
        let base = try store.importFile(archive, ImportOptions(kind: .layer))
        let workshop = try store.makeTemporaryDirectory()
        let upper = try workshop.makeDirectory("upper")
        _ = try workshop.makeDirectory("work")
        try FileDescriptor.open(upper + "/own", [.writeOnly, .create], mode: 0o644).writeAll("\(name) \(round)")
        let own = try store.commitLayer(takingUpper: upper, lowers: [base.id]).finish()
        try store.putCacheRecord(CacheRecord(key: "\(name)-\(round)", layerID: own.id))
        var configuration = ImageConfiguration(created: Timestamp(seconds: Int64(round)))
        configuration.author = name
        let image = try store.createImage(
            configuration: configuration, layers: [base.id, own.id], tags: [try Reference(parsing: name)])
        let container = try store.createContainer(NewContainer(imageID: image.id, layerIDs: image.layerIDs))
        // Leases end; from here on the container keeps the layers.
        try store.releaseLeases()
        for layer in image.layerIDs {
            _ = try FileDescriptor.open(store.layerPath(layer), [.directory])
        }
        #expect(try FileDescriptor.open(store.layerPath(own.id) + "/own").readAll() == Array("\(name) \(round)".utf8))
        try store.removeContainer(container.id)
    }

    /// The same image made and removed by many: it is there whole, or not at all.
    @Test func makingAndRemovingTheSame() async throws {
        let (test, root, archive) = try Self.storeAndBase("echo x > f; touch -d @1 f .")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let store = try ImageStore(root: root)
                    for _ in 0..<15 {
                        if worker % 2 == 0 {
                            let base = try store.importFile(archive, ImportOptions(kind: .layer))
                            try store.createImage(
                                configuration: ImageConfiguration(created: Timestamp(seconds: 1)), layers: [base.id],
                                tags: [try Reference(parsing: "same")])
                            try store.releaseLeases()
                        } else {
                            do throws(StoreError) {
                                try store.removeImage("same", force: true)
                            } catch {
                                #expect(error.code == .noSuchImage)
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try test.store.check().findings == [])
        try test.expectNothingUnfinished()
    }
}
