@testable import ImageStore
import Linux
import OCI
import Testing

/// What `check` finds, what its repair leaves, and that the same content makes images whole again.
@Suite struct IntegrityTests {
    private func kinds(_ store: ImageStore, _ change: (inout IntegrityOptions) -> Void = { _ in }) throws -> [String] {
        var options = IntegrityOptions()
        change(&options)
        return try store.check(options).findings.map(\.kind.rawValue)
    }

    @Test func aSoundStoreHasNoFaults() throws {
        let test = try TemporaryStore()
        let base = try test.layer("head -c 100000 /dev/urandom > f; ln f g; mkfifo p; mkdir d")
        let image = try test.image(layers: [base.id, try test.layer("echo x > f").id], "1", tags: ["app"])
        _ = try test.store.createContainer(NewContainer(imageID: image.id, layerIDs: image.layerIDs))
        _ = try test.store.reserveLayer()
        let report = try test.store.check()
        #expect(report.findings == [])
        #expect(report.images == 1 && report.layers == 2 && report.containers == 1)
        #expect(report.hashedBytes > 100_000)
        try test.store.releaseLeases()
        #expect(try kinds(test.store) == [])
    }

    @Test func damagedLayersAreHealedByTheSameContent() throws {
        let test = try TemporaryStore()
        let script = "echo good > f; echo other > g; touch -d @7 f g; chmod 700 ."
        let layer = try test.layer(script)
        let top = try test.layer("echo top > t")
        let image = try test.image(layers: [layer.id, top.id], "1", tags: ["app"])
        let second = try test.image(layers: [layer.id], "2", tags: ["second"])
        try test.store.putCacheRecord(CacheRecord(key: "k", layerID: layer.id))
        try test.store.releaseLeases()
        // As a disk might: the same size and time.
        try shell("echo evil > f; touch -d @7 f", in: test.store.layerPath(layer.id))

        #expect(try kinds(test.store) { $0.isQuick = true } == [])
        let finding = try #require(try test.store.check().findings.first)
        #expect(finding.kind == .layer)
        #expect(finding.object == layer.diffID?.description)
        #expect(finding.images == ["app:latest", "second:latest"])
        #expect(finding.repair == nil)
        #expect(try kinds(test.store) { $0.repairs = true } == ["layer"])
        #expect(try test.names(in: "quarantine") == [layer.id.rawValue])
        #expect(try !test.names(in: "layers").contains(layer.id.rawValue))

        // Known as damaged: listed, but nothing can stand on it; a further check says so.
        #expect(try kinds(test.store) == ["layer"])
        #expect(try test.store.images().count == 2)
        #expect(try test.store.cacheRecord(key: "k") == nil)
        let error = #expect(throws: StoreError.self) {
            try test.store.createContainer(NewContainer(imageID: image.id, layerIDs: image.layerIDs))
        }
        #expect(error?.code == .corrupt)
        #expect(error?.remedy != nil)

        let again = try test.layer(script)
        #expect(again.diffID == layer.diffID)
        #expect(again.id != layer.id)
        #expect(try test.store.image(id: image.id).layerIDs == [again.id, top.id])
        #expect(try test.store.image(id: second.id).layerIDs == [again.id])
        try test.store.releaseLeases()
        #expect(try kinds(test.store) == [])
        #expect(try test.names(in: "quarantine") == [])
        #expect(try shell("cat f", in: test.store.layerPath(again.id)) == "good\n")
        try test.expectNothingUnfinished()
    }

    @Test func brokenImagesCanBeRemoved() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        try test.store.releaseLeases()
        try shell("rm -r f*; mkdir x", in: test.store.layerPath(image.layerIDs[0]))
        #expect(try kinds(test.store) { $0.repairs = true } == ["layer"])
        #expect(try test.store.removeImage("app").first?.description == "Untagged: app:latest")
        #expect(try test.names(in: "quarantine") == [])
        #expect(try kinds(test.store) == [])
    }

    /// Even without a check: a layer whose files are gone is made again where the same comes.
    @Test func missingLayersAreImportedAgain() throws {
        let test = try TemporaryStore()
        let script = "echo x > f; touch -d @7 f"
        let layer = try test.layer(script)
        let image = try test.image(layers: [layer.id], "1", tags: ["app"])
        try shell("rm -r \(layer.id.rawValue)", in: test.directory + "/store/layers")
        #expect(try kinds(test.store) { $0.isQuick = true } == ["layer"])
        let again = try test.layer(script)
        #expect(try test.store.image(id: image.id).layerIDs == [again.id])
        #expect(try kinds(test.store) == [])
        #expect(try shell("cat f", in: test.store.layerPath(again.id)) == "x\n")
    }

    /// The same when it comes with an image, whether its archive is read or named as known.
    @Test(arguments: [ImageArchiveFormat.docker, .oci, .directory])
    func missingLayersAreLoadedAgain(_ format: ImageArchiveFormat) throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        try SaveLoadTests.save(["app"], to: "saved", test, format: format)
        try shell("rm -r \(image.layerIDs[0].rawValue)", in: test.directory + "/store/layers")
        let loaded = try #require(try SaveLoadTests.load(test.directory + "/saved", into: test.store).first).image
        #expect(loaded.id == image.id)
        #expect(try shell("cat file", in: test.store.layerPath(loaded.layerIDs[0])) == "1")
        try test.store.releaseLeases()
        #expect(try kinds(test.store) == [])
    }

    /// Whoever wants to use an image is told what is wrong with it, and what helps.
    @Test func containersOfDamagedLayersAreRefused() throws {
        let test = try TemporaryStore()
        let (base, top) = (try test.layer("echo b > b"), try test.layer("echo t > t"))
        let image = try test.image(layers: [base.id, top.id], "1", tags: ["app"])
        func failure() -> StoreError? {
            #expect(throws: StoreError.self) {
                try test.store.createContainer(NewContainer(imageID: image.id, layerIDs: image.layerIDs))
            }
        }
        for layer in [base, top] {
            let path = "\(test.directory)/store/layers/\(layer.id)"
            try shell("mv \(path) \(test.directory)/moved")
            let missing = failure()
            #expect(missing?.code == .corrupt)
            #expect(missing?.message.contains("are missing") == true)
            #expect(missing?.remedy?.contains("pull, load, import or build") == true)
            try shell("mv \(test.directory)/moved \(path)")
        }
        try shell("echo evil > t", in: test.store.layerPath(top.id))
        try test.store.releaseLeases()
        #expect(try kinds(test.store) { $0.repairs = true } == ["layer"])
        let broken = failure()
        #expect(broken?.code == .corrupt)
        #expect(broken?.message.contains("quarantine") == true)
        #expect(broken?.remedy?.contains("pull, load, import or build") == true)
        try test.expectNothingUnfinished()
    }

    @Test func damagedDocumentsAreHealed() throws {
        let test = try TemporaryStore()
        let layer = try test.layer("echo x > f")
        let image = try test.image(layers: [layer.id], "1", tags: ["app"])
        let other = try test.image(layers: [layer.id], "2", tags: ["other"])
        let manifest = try test.store.blobs.read(image.manifestDigest)
        let configuration = try test.store.blobs.read(image.id)
        // What a file system without its journal leaves: a file of no bytes.
        try shell(": > \(test.store.blobs.path(image.id)); rm \(test.store.blobs.path(other.manifestDigest))")
        let listed = try test.store.images()
        #expect(listed.count == 2)
        #expect(listed.first { $0.id == image.id }?.damage != nil)
        #expect(listed.first { $0.id == other.id }?.damage == nil)
        let findings = try test.store.check().findings
        #expect(findings.map(\.kind) == [.document, .document])
        #expect(Set(findings.flatMap(\.images)) == ["app:latest", "other:latest"])
        #expect(try kinds(test.store) { $0.repairs = true } == ["document", "document"])
        #expect(try test.names(in: "quarantine") == [image.id.hex])
        let whole = try test.store.createImage(
            configurationDocument: configuration, manifestDocument: manifest, layers: [layer.id])
        #expect(whole.id == image.id)
        #expect(try test.store.image(matching: "app").damage == nil)
        #expect(try kinds(test.store) == ["document"])
        try test.store.removeImage("other")
        #expect(try kinds(test.store) == [])
    }

    /// What cannot be read for a reason that may pass is told and left alone, and so is what somebody has moved.
    @Test func whatCannotBeReadIsNotRepaired() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        let container = try test.store.createContainer(NewContainer(imageID: image.id, layerIDs: image.layerIDs))
        let paths = ["blobs/sha256/\(image.id.hex)", "layers/\(image.layerIDs[0])", "containers/\(container.id)"]
        for path in paths {
            try shell("mv \(path) moved; ln -s $(basename \(path)) \(path)", in: test.directory + "/store")
            for isQuick in [true, false] {
                var options = IntegrityOptions()
                (options.isQuick, options.repairs) = (isQuick, true)
                let findings = try test.store.check(options).findings.filter { $0.kind != .image && $0.kind != .stray }
                #expect(findings.map(\.repair) == [nil], "\(path): \(findings)")
            }
            try shell("rm \(path); mv moved \(path)", in: test.directory + "/store")
            #expect(try kinds(test.store) == [])
        }
        #expect(try test.store.containers().map(\.id) == [container.id])
    }

    /// Of a layer with a recipe, files that are missing or no files are damage.
    @Test(arguments: ["rm fs/f", "rm -r fs/d", "rm fs/f; ln -s f fs/f", "rm fs/f; mkdir fs/f", ": > recipe"])
    func damagedExactLayersAreRepaired(_ damage: String) throws {
        let test = try TemporaryStore()
        try test.tree("tree", "echo x > f; mkdir d; echo y > d/y")
        try shell("tar --format=gnu -cf a -C tree .", in: test.directory)
        let layer = try ExactLayerTests.importExactly("a", test)
        _ = try test.image(layers: [layer.id], "1", tags: ["app"])
        try test.store.releaseLeases()
        try shell(damage, in: "\(test.directory)/store/layers/\(layer.id)")
        #expect(try kinds(test.store) { $0.repairs = true } == ["layer"])
        #expect(try test.names(in: "quarantine") == [layer.id.rawValue])
    }

    @Test func whatNothingNamesIsFoundAndRemoved() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        let lost = try test.store.createContainer(NewContainer(imageID: image.id, layerIDs: image.layerIDs))
        try shell(
            """
            mkdir -p layers/stray/fs containers/stray; echo x > blobs/sha256/stray; mkdir tmp/left
            rm -r containers/\(lost.id)
            sqlite3 catalog.sqlite "UPDATE layers SET disk_usage = 1"
            """, in: test.directory + "/store")
        let expected = ["container", "leftover", "size", "stray", "stray", "stray"]
        #expect(try kinds(test.store).sorted() == expected)
        #expect(try kinds(test.store) { $0.repairs = true }.sorted() == expected)
        #expect(try kinds(test.store) == [])
        #expect(try test.store.containers() == [])
        #expect(try test.store.layer(image.layerIDs[0]).diskUsage > 1)
    }

    @Test func aDamagedCatalogIsTold() throws {
        let test = try TemporaryStore()
        _ = try test.image(layers: [try test.layer("echo x > f").id, try test.layer("echo y > f").id], "1")
        try shell(
            "sqlite3 store/catalog.sqlite 'PRAGMA foreign_keys=0; DELETE FROM image_layers WHERE position = 0'",
            in: test.directory)
        #expect(Set(try kinds(test.store)) == ["catalog", "image"])
    }

    /// The machine was started anew: what was announced or leased before is nobody's.
    @Test func processesOfEarlierBootsAreGone() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        let orphan = try test.layer("echo y > f")
        try shell(
            """
            mkdir containers/stray
            sqlite3 catalog.sqlite "UPDATE facts SET value = 'before' WHERE name = 'boot';
            UPDATE layers SET unsynced_boot = 'before' WHERE id = '\(orphan.id)'"
            """, in: test.directory + "/store")
        let store = try test.reopened()
        #expect(try store.layers().map(\.id) == image.layerIDs)
        #expect(try test.names(in: "containers") == [])
        #expect(try kinds(store) == [])
    }
}
