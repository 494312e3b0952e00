import ImageStore
import Linux
import OCI
import Testing

@Suite struct DiskUsageTests {
    private func du(_ paths: [String], in directory: String) throws -> Int64 {
        let output = try shell(
            "du -cs --block-size=1 \(paths.joined(separator: " ")) | tail -1 | cut -f1", in: directory)
        return try #require(Int64(output.dropLast()))
    }

    @Test func agreesWithDu() throws {
        let test = try TemporaryStore()
        let base = try test.layer("head -c 1000000 /dev/urandom > big; ln big link; mkdir d; truncate -s 1G sparse")
        let (one, two) = (try test.layer("head -c 200000 /dev/urandom > f"), try test.layer("echo x > g"))
        let cached = try test.layer("head -c 50000 /dev/urandom > stage")
        let first = try test.image(layers: [base.id, one.id, base.id], "1", tags: ["one", "uno"])
        let second = try test.image(layers: [base.id, two.id], "2", tags: ["two"])
        try test.store.putCacheRecord(CacheRecord(key: "s", layerID: cached.id))
        try test.store.putCacheRecord(CacheRecord(key: "b", layerID: base.id))
        let container = try test.store.createContainer(
            NewContainer(imageID: second.id, imageName: "two", layerIDs: second.layerIDs))
        let paths = test.store.containerPaths(container.id)
        try shell("head -c 300000 /dev/urandom > w; ln w v; mkdir e; sync -f .", in: paths.upper)
        try test.store.releaseLeases()

        let usage = try test.store.diskUsage()
        let layers = test.directory + "/store/layers"
        #expect(usage.layerBytes == (try du(["*"], in: layers)))
        // Blocks are counted once they are allocated, when the images are made.
        let recorded = try [base, one, two, cached].map { try test.store.layer($0.id) }
        let sizes = try Dictionary(
            uniqueKeysWithValues: [base, one, two, cached].map {
                ($0.id, try du([$0.id.rawValue], in: layers))
            })
        for layer in recorded { #expect(layer.diskUsage == sizes[layer.id]) }
        let (b, o, t, c) = (recorded[0].diskUsage, recorded[1].diskUsage, recorded[2].diskUsage, recorded[3].diskUsage)
        #expect(b < 1_200_000)
        let images = Dictionary(uniqueKeysWithValues: usage.images.map { ($0.id, $0) })
        let documents = try Dictionary(
            uniqueKeysWithValues: [first, second].map {
                ($0.id, try du([test.store.blobs.path($0.id), test.store.blobs.path($0.manifestDigest)], in: "/"))
            })
        let (d, e) = (try #require(documents[first.id]), try #require(documents[second.id]))
        #expect(images[first.id]?.size == b + o + d)
        #expect(images[first.id]?.shared == b)
        #expect(images[first.id]?.unique == o + d)
        #expect(images[first.id]?.references.map(\.familiar) == ["one:latest", "uno:latest"])
        #expect(images[second.id]?.unique == t + e)
        #expect(images[second.id]?.containers == 1)
        #expect(usage.imageTotal == DiskUsage.Total(count: 2, active: 1, size: b + o + t + d + e, reclaimable: o + d))
        #expect(usage.cacheTotal == DiskUsage.Total(count: 2, active: 1, size: c, reclaimable: c))
        // All of it goes once the container does.
        #expect(usage.reclaimableLayerBytes == b + o + t + c)
        let written = try du([paths.directory], in: "/")
        #expect(usage.containers.map(\.size) == [written])
        #expect(usage.containerTotal == DiskUsage.Total(count: 1, active: 0, size: written, reclaimable: written))
        #expect(try test.store.containerSize(container.id) == du([paths.upper], in: "/"))
        #expect(usage.reclaimableBytes == b + o + t + c + d + e + written)
        #expect(try usage.storeBytes == du(["store"], in: test.directory))
        #expect(try test.store.images().first { $0.id == first.id }?.size == b + o + d)
        try test.store.updateContainer(container.id) { $0.state = .running }
        let running = try test.store.diskUsage()
        #expect(running.containerTotal.reclaimable == 0)
        #expect(running.reclaimableLayerBytes == o + c)
        #expect(running.reclaimableDocumentBytes == d)
    }

    @Test func emptyStoreTakesNothing() throws {
        let test = try TemporaryStore()
        let usage = try test.store.diskUsage()
        #expect(usage.imageTotal == DiskUsage.Total())
        #expect(usage.containerTotal == DiskUsage.Total())
        #expect(usage.cacheTotal == DiskUsage.Total())
        #expect(usage.layerBytes == 0)
        #expect(usage.reclaimableBytes == 0)
    }
}
