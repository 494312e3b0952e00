@testable import ImageStore
import Linux
import OCI
import Testing

/// What `prune` takes, that a dry run says the same, and that the disk agrees.
@Suite struct PruneTests {
    private func selection(
        images: PruneSelection.Images? = nil, cache: PruneSelection.Cache? = nil
    ) -> PruneSelection {
        var selection = PruneSelection()
        selection.images = images
        selection.cache = cache
        return selection
    }

    /// Prunes after a dry run, which must have said the same and changed nothing.
    private func prune(_ store: ImageStore, _ selection: PruneSelection) throws -> PruneResult {
        let before = (try store.imageSummaries(), try store.layers(), try store.cacheRecords())
        let said = try store.prune(selection, dryRun: true)
        #expect(try before == (store.imageSummaries(), store.layers(), store.cacheRecords()))
        let done = try store.prune(selection)
        #expect(said.events == done.events)
        #expect(said.layers == done.layers)
        #expect(said.cache == done.cache)
        #expect(said.bytes == done.bytes)
        return done
    }

    @Test func danglingAndUnusedImages() throws {
        let test = try TemporaryStore()
        let old = try test.image("old", tags: ["app"])
        let new = try test.image("new", tags: ["app"])
        let used = try test.image("used", tags: ["used"])
        _ = try test.store.createContainer(
            NewContainer(imageID: used.id, imageName: "used", layerIDs: used.layerIDs))
        try test.store.releaseLeases()
        let dangling = try prune(test.store, selection(images: .dangling))
        #expect(dangling.events.first == .deleted(old.id))
        #expect(dangling.bytes == old.size)
        #expect(Set(try test.store.images().map(\.id)) == [new.id, used.id])
        let all = try prune(test.store, selection(images: .all))
        #expect(all.events.prefix(2) == [.untagged(try Reference(parsing: "app")), .deleted(new.id)])
        #expect(all.bytes == new.size)
        #expect(try test.store.images().map(\.id) == [used.id])
        #expect(try prune(test.store, selection(images: .all, cache: .all)).bytes == 0)
        try test.expectNothingUnfinished()
    }

    @Test func filters() throws {
        let test = try TemporaryStore()
        let layer = try test.layer("echo x > f").id
        let one = try test.image(layers: [layer], "1", tags: ["one"], labels: ["keep": "yes"], created: 100)
        let two = try test.image(layers: [layer], "2", tags: ["two"], labels: ["keep": "no"], created: 200)
        let three = try test.image(layers: [layer], "3", tags: ["three"], created: 300)
        try test.store.releaseLeases()
        func pruned(_ change: (inout PruneSelection) -> Void) throws -> Set<Digest> {
            var selection = selection(images: .all)
            change(&selection)
            let events = try test.store.prune(selection, dryRun: true).events
            return Set(events.compactMap { if case .deleted(let id) = $0 { id } else { nil } })
        }
        #expect(try pruned { $0.until = Timestamp(seconds: 200) } == [one.id])
        #expect(
            try pruned { $0.labels = [LabelCondition(key: "keep", value: nil, isNegated: false)] }
                == [one.id, two.id])
        #expect(
            try pruned { $0.labels = [LabelCondition(key: "keep", value: "yes", isNegated: true)] }
                == [two.id, three.id])
        #expect(
            try pruned {
                $0.until = Timestamp(seconds: 300)
                $0.labels = [LabelCondition(key: "keep", value: "yes", isNegated: true)]
            } == [two.id])
    }

    /// A build cache in bounds: what was used last stays.
    @Test func cacheKeepsWhatWasUsedLast() throws {
        let test = try TemporaryStore()
        var layers: [LayerRecord] = []
        for number in 0..<4 {
            let layer = try test.layer("head -c 50000 /dev/urandom > f\(number); sync -f .")
            layers.append(layer)
            let time = Timestamp(seconds: Int64(number) * 100)
            try test.store.putCacheRecord(
                CacheRecord(key: "k\(number)", layerID: layer.id, createdAt: time, lastUsed: time))
        }
        _ = try test.image(layers: [layers[1].id], "shared", tags: ["shared"])
        try test.store.releaseLeases()
        let sizes = try layers.map { try test.store.layer($0.id).diskUsage }
        var bounded = selection(cache: .unshared)
        bounded.keptCacheBytes = sizes[3] + sizes[2]
        let result = try prune(test.store, bounded)
        #expect(result.cache.map(\.record.key) == ["k0"])
        #expect(result.bytes == sizes[0])
        var old = selection(cache: .unshared)
        old.until = Timestamp(seconds: 300)
        #expect(try prune(test.store, old).cache.map(\.record.key) == ["k2"])
        #expect(try test.store.cacheRecords().map(\.key) == ["k3", "k1"])
        // A record of a layer that an image has frees nothing.
        #expect(try prune(test.store, selection(cache: .all)).bytes == sizes[3])
        #expect(try test.store.layers().map(\.id) == [layers[1].id])
    }

    /// What another handle, as of a build in another process, has leased stays: layers, records and the image it
    /// builds on.
    @Test func leasesAreRespected() throws {
        let test = try TemporaryStore()
        let base = try test.image("base", tags: ["base"])
        let cached = try test.layer("echo cached > f")
        try test.store.putCacheRecord(CacheRecord(key: "k", layerID: cached.id))
        try test.store.releaseLeases()
        let build = try test.reopened()
        try build.lease(base.layerIDs)
        #expect(try build.cacheRecord(key: "k") != nil)
        let pending = try build.reserveLayer()
        let result = try prune(test.store, selection(images: .all, cache: .all))
        #expect(result.bytes == 0)
        #expect(result.events == [])
        #expect(try test.store.images().map(\.id) == [base.id])
        #expect(try test.store.cacheRecords().map(\.key) == ["k"])
        #expect(try test.store.diskUsage().imageTotal.reclaimable == 0)
        try build.releaseLeases()
        #expect(try prune(test.store, selection(images: .all, cache: .all)).layers.count == 2)
        #expect(throws: StoreError.self) { try test.store.layer(pending) }
        #expect(try test.names(in: "layers") == [])
        #expect(try test.names(in: "blobs/sha256") == [])
    }

    /// The figures of `df`, of the dry run and of the prune, and what the file system says, are the same.
    @Test func theDiskAgrees() throws {
        let test = try TemporaryStore()
        try shell(
            """
            truncate -s 96M disk.img; mkfs.ext4 -q -F -m 0 disk.img
            mkdir disk; mount -o loop disk.img disk
            """, in: test.directory)
        defer { _ = try? shell("umount -l disk", in: test.directory) }
        let store = try ImageStore(root: test.directory + "/disk/store")
        var layers: [LayerID] = []
        for number in 0..<6 {
            layers.append(
                try test.importArchive(
                    made: """
                        mkdir t\(number); head -c \(number * 300_000 + 1) /dev/urandom > t\(number)/big
                        ln t\(number)/big t\(number)/link; truncate -s 30M t\(number)/sparse
                        for i in $(seq 60); do mkdir t\(number)/d$i; echo $i > t\(number)/d$i/f; done
                        tar -C t\(number) -S -cf $A .
                        """, kind: .layer, into: store
                ).id)
        }
        func image(_ layers: [LayerID], _ comment: String, tags: [String] = []) throws -> ImageRecord {
            var configuration = ImageConfiguration(created: Timestamp(seconds: 1))
            configuration.author = comment
            return try store.createImage(
                configuration: configuration, layers: layers, tags: tags.map { try Reference(parsing: $0) })
        }
        let kept = try image([layers[0], layers[1]], "kept", tags: ["kept"])
        _ = try image([layers[0], layers[2]], "named", tags: ["named"])
        _ = try image([layers[0], layers[3], layers[4]], "dangling")
        try store.putCacheRecord(CacheRecord(key: "k", layerID: layers[5]))
        // Without an image, the layer of the cache is not on disk yet.
        try store.makeDurable([layers[5]])
        let container = try store.createContainer(
            NewContainer(imageID: kept.id, imageName: "kept", layerIDs: kept.layerIDs))
        try shell("head -c 700000 /dev/urandom > f; sync -f .", in: store.containerPaths(container.id).upper)
        try store.releaseLeases()

        // With the container, which runs; the catalog's own growth is not what was pruned.
        try store.updateContainer(container.id) { $0.state = .running }
        let usage = try store.diskUsage()
        #expect(try usage.storeBytes == bytes("du -s --block-size=1 disk/store | cut -f1", in: test.directory))
        let everything = selection(images: .all, cache: .all)
        let planned = try store.prune(everything, dryRun: true).bytes
        let (free, catalog) = (try freeBytes(test), try catalogBytes(test))
        let done = try store.prune(everything)
        let freed = try freeBytes(test) - free + (try catalogBytes(test) - catalog)
        #expect(done.layers.count == 4)
        #expect(usage.imageTotal.reclaimable + usage.cacheTotal.reclaimable == done.bytes)
        #expect(usage.reclaimableBytes == done.bytes)
        #expect(planned == done.bytes)
        #expect(freed == done.bytes)
        let after = try store.diskUsage()
        #expect(after.reclaimableBytes == 0)
        #expect(try after.storeBytes == bytes("du -s --block-size=1 disk/store | cut -f1", in: test.directory))
    }

    private func freeBytes(_ test: TemporaryStore) throws -> Int64 {
        try bytes("sync -f disk; stat -f -c '%f %S' disk | { read f s; echo $((f * s)); }", in: test.directory)
    }

    private func catalogBytes(_ test: TemporaryStore) throws -> Int64 {
        try bytes("du -cs --block-size=1 disk/store/catalog* | tail -1 | cut -f1", in: test.directory)
    }

    private func bytes(_ script: String, in directory: String) throws -> Int64 {
        let text = try shell(script, in: directory)
        return try #require(Int64(text.dropLast()))
    }
}
