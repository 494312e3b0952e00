import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

@Suite struct CacheTests {
    /// Empties the cache; returns the layers that went with it.
    private func prune(_ store: ImageStore) throws(StoreError) -> [LayerRecord] {
        var selection = PruneSelection()
        selection.cache = .all
        return try store.prune(selection).layers
    }

    @Test func keepsLayersUntilPruned() throws {
        let test = try TemporaryStore()
        let layer = try test.layer("echo x > f")
        let result = StepResult(created: Timestamp(seconds: 7, nanoseconds: 8), hasLayer: true, parent: "below")
        let record = CacheRecord(key: "k", .step(result), layerID: layer.id)
        try test.store.putCacheRecord(record)
        try test.store.putCacheRecord(CacheRecord(key: "empty", layerID: nil))
        try test.store.releaseLeases()
        let other = try test.reopened()
        #expect(try other.cacheRecord(key: "k") == record)
        #expect(try other.cacheRecord(key: "empty")?.layerID == nil)
        #expect(try other.cacheRecord(key: "none") == nil)
        // A hit is leased: pruning cannot take it away from the build that found it.
        #expect(try prune(test.store) == [])
        #expect(try test.store.cacheRecords().map(\.key) == ["k"])
        try other.releaseLeases()
        #expect(try prune(test.store).map(\.id) == [layer.id])
        #expect(try test.names(in: "layers") == [])
        #expect(try test.store.cacheRecords() == [])
    }

    @Test func removingAnImageTakesItsStepsAlong() throws {
        let test = try TemporaryStore()
        let (base, one, two) = (
            try test.layer("echo b > b"), try test.layer("echo 1 > f"), try test.layer("echo 2 > f")
        )
        _ = try test.image(layers: [base.id, one.id], "1", tags: ["one"])
        _ = try test.image(layers: [base.id, two.id], "2", tags: ["two"])
        let stage = try test.layer("echo stage > s")
        for (key, layer) in [("b", base), ("1", one), ("2", two), ("s", stage)] {
            try test.store.putCacheRecord(CacheRecord(key: key, layerID: layer.id))
        }
        try test.store.releaseLeases()
        try test.store.removeImage("one")
        #expect(try test.store.cacheRecords().map(\.key).sorted() == ["2", "b", "s"])
        #expect(try Set(test.names(in: "layers")) == Set([base, two, stage].map(\.id.rawValue)))
        try test.store.removeImage("two")
        #expect(try test.store.cacheRecords().map(\.key) == ["s"])
        #expect(try prune(test.store).map(\.id) == [stage.id])
        #expect(try test.names(in: "layers") == [])
    }

    @Test(arguments: [
        CacheRecord.Value.step(StepResult(created: Timestamp(seconds: 7), hasLayer: false, parent: "p")),
        .selection(.sha256(of: "x")), .files(Data([0, 255, 1])), .layer, .other(Data([9])),
    ])
    func valuesAreKept(value: CacheRecord.Value) throws {
        let test = try TemporaryStore()
        let record = CacheRecord(key: "k", value, layerID: nil)
        try test.store.putCacheRecord(record)
        let store = try test.reopened()
        #expect(try store.cacheRecord(key: "k") == record)
        #expect(try store.cacheRecords().map(\.kind) == [record.kind])
    }

    @Test func whatIsNotInTheFormOfItsKindIsNoHit() throws {
        let test = try TemporaryStore()
        for kind in ["step", "selection", "no kind of this version"] {
            try test.store.putCacheRecord(CacheRecord(key: kind, .other(Data("{".utf8)), layerID: nil))
        }
        try shell("sqlite3 store/catalog.sqlite 'UPDATE cache SET kind = key'", in: test.directory)
        let store = try test.reopened()
        #expect(try store.cacheRecords().map(\.value) == Array(repeating: .other(Data("{".utf8)), count: 3))
    }

    @Test func useIsNoted() throws {
        let test = try TemporaryStore()
        for key in ["a", "b"] {
            let then = Timestamp(seconds: 10)
            try test.store.putCacheRecord(CacheRecord(key: key, layerID: nil, createdAt: then, lastUsed: then))
        }
        try test.store.touchCacheRecords(["a", "missing"], at: Timestamp(seconds: 20))
        #expect(try test.store.cacheRecords().map(\.key) == ["a", "b"])
        #expect(try test.store.cacheRecord(key: "a")?.lastUsed == Timestamp(seconds: 20))
        #expect(try test.store.cacheRecord(key: "a")?.createdAt == Timestamp(seconds: 10))
    }
}
