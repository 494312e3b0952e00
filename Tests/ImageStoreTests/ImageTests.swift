import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

@Suite struct ImageTests {
    @Test func documentsAreTheSpecifications() throws {
        let test = try TemporaryStore()
        let layers = [try test.layer("echo 1 > a"), try test.layer("echo 2 > b")]
        let image = try test.image(layers: layers.map(\.id), "x", tags: ["thing:1"])
        #expect(image.configuration.rootFS.diffIDs == layers.compactMap(\.diffID))
        #expect(image.layerIDs == layers.map(\.id))
        let bytes = try layers.map { try test.store.layer($0.id).diskUsage }.reduce(0, +)
        let blocks = try shell(
            "du -cs --block-size=1 \(test.store.blobs.path(image.id)) \(test.store.blobs.path(image.manifestDigest))")
        let documents = try #require(
            blocks.split(separator: "\n").last?.split(separator: "\t").first.flatMap { Int64($0) })
        #expect(image.size == bytes + documents)
        let document = try test.store.blobs.read(image.id)
        #expect(Digest.sha256(of: Array(document)) == image.id)
        let manifest = try test.store.manifest(of: image)
        #expect(
            manifest.config == Descriptor(mediaType: .imageConfiguration, digest: image.id, size: Int64(document.count))
        )
        #expect(manifest.layers.map(\.digest) == layers.compactMap(\.diffID))
        #expect(manifest.layers.map(\.size) == layers.map(\.archiveSize))
        #expect(manifest.layers.allSatisfy { $0.mediaType == .layerTar })
        // Every diffID can be computed again from the tree.
        for layer in layers {
            let summary = try LayerArchiveWriter.summary(of: test.store.layerPath(layer.id), marks: .trusted)
            #expect(summary.diffID == layer.diffID)
            #expect(summary.archiveSize == layer.archiveSize)
        }
        let again = try test.reopened().image(matching: "thing:1")
        #expect(again == image)
    }

    @Test func sameContentIsStoredOnce() throws {
        let test = try TemporaryStore()
        let script = "echo same > f; touch -d @1 f"
        let (one, two) = (try test.layer(script), try test.layer(script))
        #expect(one == two)
        #expect(try test.names(in: "layers") == [one.id.rawValue])
        let (image, again) = (try test.image(layers: [one.id], "x"), try test.image(layers: [one.id], "x"))
        #expect(image == again)
        #expect(try test.store.images().count == 1)
    }

    @Test func namesAndIDsLeadToImages() throws {
        let test = try TemporaryStore()
        let first = try test.image("1", tags: ["alpine", "localhost:5000/x/y:2"])
        let second = try test.image("2", tags: ["library/alpine:3"])
        for text in [
            "alpine", "alpine:latest", "docker.io/library/alpine", "localhost:5000/x/y:2", first.id.description,
            first.id.hex, first.id.short, "sha256:" + first.id.short, "alpine@\(first.manifestDigest)",
        ] {
            #expect(try test.store.image(matching: text).id == first.id, "\(text)")
        }
        #expect(try test.store.image(matching: "alpine:3").id == second.id)
        for text in [
            "none", "alpine:4", "localhost:5000/x/y", "", "zz", "sha256:", "UPPER", "a b",
            "alpine@\(Digest.sha256(of: "x"))", Digest.sha256(of: "x").hex,
        ] {
            let error = #expect(throws: StoreError.self, "\(text)") { try test.store.image(matching: text) }
            #expect(error?.code == .noSuchImage)
        }
    }

    @Test func shortIDsMayBeAmbiguous() throws {
        let test = try TemporaryStore()
        let layer = try test.layer("echo x > f").id
        for number in 0..<40 { _ = try test.image(layers: [layer], "\(number)") }
        let digits = try test.store.images().map { String($0.id.hex.prefix(1)) }
        // Forty images, sixteen digits.
        let twice = try #require(Dictionary(grouping: digits) { $0 }.first { $0.value.count > 1 }?.key)
        let error = #expect(throws: StoreError.self) { try test.store.image(matching: twice) }
        #expect(error?.code == .ambiguous)
    }

    @Test func retaggingLeavesTheOldImageDangling() throws {
        let test = try TemporaryStore()
        let old = try test.image("1", tags: ["app"])
        let new = try test.image("2", tags: ["app"])
        #expect(try test.store.image(matching: "app").id == new.id)
        #expect(try test.store.image(id: old.id).isDangling)
        #expect(try test.store.images(where: \.isDangling).map(\.id) == [old.id])
        #expect(try test.store.images(where: { !$0.isDangling }).map(\.id) == [new.id])
        try test.store.tag(old.id, as: Reference(parsing: "app"))
        #expect(try test.store.image(id: new.id).isDangling)
        #expect(throws: StoreError.self) { try test.store.tag(old.id, as: Reference(parsing: "app", defaultTag: nil)) }
    }

    @Test func removingTakesLayersThatNothingElseKeeps() throws {
        let test = try TemporaryStore()
        let (base, top) = (try test.layer("echo base > f"), try test.layer("echo top > g"))
        let kept = try test.image(layers: [base.id], "kept", tags: ["base"])
        let gone = try test.image(layers: [base.id, top.id], "gone", tags: ["gone:1", "gone:2"])
        try test.store.releaseLeases()

        #expect(try test.store.removeImage("gone:1") == [.untagged(try Reference(parsing: "gone:1"))])
        #expect(try test.store.image(id: gone.id).references == [try Reference(parsing: "gone:2")])
        let diffID = try #require(top.diffID)
        #expect(
            try test.store.removeImage("gone:2") == [
                .untagged(try Reference(parsing: "gone:2")), .deleted(gone.id), .deletedLayer(diffID),
            ])
        #expect(try test.names(in: "layers") == [base.id.rawValue])
        #expect(try test.names(in: "blobs/sha256") == [kept.id.hex, kept.manifestDigest.hex].sorted())
        let error = #expect(throws: StoreError.self) { try test.store.removeImage("gone:2") }
        #expect(error?.code == .noSuchImage)
        #expect(error?.message == "No such image: gone:2")
    }

    @Test func removalByIDFollowsDockersRules() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["one:1", "two:1"])
        let error = #expect(throws: StoreError.self) { try test.store.removeImage(image.id.short) }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("(must be forced) - image is referenced in multiple repositories") == true)
        let events = try test.store.removeImage(image.id.short, force: true)
        #expect(
            events.prefix(3).map(\.description) == [
                "Untagged: one:1", "Untagged: two:1", "Deleted: \(image.id)",
            ])
        // Docker calls two tags of one repository several, too.
        let other = try test.image("2", tags: ["x:1", "x:2"])
        #expect(throws: StoreError.self) { try test.store.removeImage(other.id.hex) }
        try test.store.removeImage("x:2")
        #expect(try test.store.removeImage(other.id.hex).first?.description == "Untagged: x:1")
        #expect(try test.store.images() == [])
    }

    @Test func digestsGoWithTheLastTagOfTheirRepository() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["r.io/a:1", "r.io/a:2", "other:1"])
        let (index, second) = (Digest.sha256(of: Data("1".utf8)), Digest.sha256(of: Data("2".utf8)))
        for (name, digest) in [("a", index), ("a", image.manifestDigest), ("b", second)] {
            try test.store.record(TransferRecord(repository: "r.io/\(name)", digests: [digest]), of: image.id)
        }
        func events(_ text: String, force: Bool = false) throws -> [String] {
            try test.store.removeImage(text, force: force).map(\.description)
        }
        // The manifest in an index has no name of its own.
        #expect(try test.store.image(id: image.id).digests.map(\.familiar) == ["r.io/a@\(index)", "r.io/b@\(second)"])
        #expect(try test.store.image(matching: "r.io/a@\(index)").id == image.id)
        #expect(try test.store.image(matching: "r.io/a@\(image.manifestDigest)").id == image.id)
        #expect(try events("r.io/a:2") == ["Untagged: r.io/a:2"])
        #expect(try events("r.io/a:1") == ["Untagged: r.io/a:1", "Untagged: r.io/a@\(index)"])
        #expect(throws: StoreError.self) { try test.store.image(matching: "r.io/a@\(index)") }
        // A tag of one repository and a digest of another are several names.
        #expect(throws: StoreError.self) { try test.store.removeImage(image.id.hex) }
        #expect(try events("other:1") == ["Untagged: other:1"])
        #expect(try test.store.image(id: image.id).isDangling)
        let last = try events("r.io/b@\(second)")
        #expect(last.prefix(2) == ["Untagged: r.io/b@\(second)", "Deleted: \(image.id)"])
    }

    @Test func anImageThatContainersHaveLosesItsNameByForceAndStays() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        let container = try test.store.createContainer(
            NewContainer(imageID: image.id, imageName: "app", layerIDs: image.layerIDs))
        try test.store.updateContainer(container.id) { $0.state = .running }
        let error = #expect(throws: StoreError.self) { try test.store.removeImage("app") }
        #expect(error?.message.contains("unable to remove repository reference \"app:latest\" (must force)") == true)
        #expect(try test.store.removeImage("app", force: true).map(\.description) == ["Untagged: app:latest"])
        #expect(try test.store.image(id: image.id).isDangling)
    }

    @Test func imagesOfContainersAreKept() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        let container = try test.store.createContainer(
            NewContainer(imageID: image.id, imageName: "app", layerIDs: image.layerIDs))
        try test.store.releaseLeases()
        for text in ["app", image.id.short] {
            let error = #expect(throws: StoreError.self) { try test.store.removeImage(text) }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains(container.shortID) == true)
            #expect(error?.message.contains("must") == true)
        }
        try test.store.updateContainer(container.id) { $0.state = .running }
        let error = #expect(throws: StoreError.self) { try test.store.removeImage(image.id.hex, force: true) }
        #expect(error?.message.contains("(cannot be forced) - image is being used by running container") == true)
        try test.store.updateContainer(container.id) { $0.state = .exited }
        #expect(try test.store.removeImage(image.id.hex, force: true).contains(.deleted(image.id)))
        // The container still stands on the layers; with it they go.
        #expect(try test.names(in: "layers") == image.layerIDs.map(\.rawValue))
        try test.store.removeContainer(container.id)
        #expect(try test.names(in: "layers") == [])
    }

    @Test func damagedBlobsAreNoticed() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        try shell("echo >> \(test.store.blobs.path(image.id))")
        let error = #expect(throws: StoreError.self) { try test.store.image(matching: "app") }
        #expect(error?.code == .corrupt)
    }
}
