import DockerDocuments
import Engine
import ImageStore
import OCI
import Testing

@Suite struct FilterTests {
    @Test func whatIsNoFilterIsOneLineThatNamesTheKeys() throws {
        let unknown = #expect(throws: EngineError.self) { try ContainerListRequest(filters: ["colour=red"]) }
        #expect(unknown?.message == "invalid filter \"colour\"")
        #expect(unknown?.remedy == "use \(ContainerListRequest.filterKeys.joined(separator: ", "))")
        for bad in ["", "label", "label=", "dangling=maybe", "size=3", "label!=x", "until=soon"] {
            #expect(throws: EngineError.self, "\(bad)") { try ImageListRequest(filters: [bad]) }
        }
        #expect(throws: EngineError.self) { try ImageListRequest(filters: ["dangling=true", "dangling=0"]) }
        let twice = #expect(throws: EngineError.self) {
            try PruneFilter(["until=1h", "until=2h"], keys: ["until"])
        }
        #expect(twice?.message == "more than one until filter specified")
    }

    @Test func labelsAreAllOfThem() throws {
        let filter = try PruneFilter(["label=a=1", "label!=b", "LABEL = c"], keys: ["label", "label!"])
        #expect(filter.labels.allSatisfy { $0.fits(["a": "1", "c": ""]) })
        #expect(!filter.labels.allSatisfy { $0.fits(["a": "1"]) })
        #expect(!filter.labels.allSatisfy { $0.fits(["a": "1", "b": "", "c": ""]) })
    }

    @Test func imagesAreChosen() throws {
        try EngineFixture.with { fixture in
            let store = fixture.engine.store
            let layers = try store.image(matching: "bb").layerIDs
            func image(_ tags: [String], _ labels: [String: String], at seconds: Int64) throws -> Digest {
                var configuration = ImageConfiguration(created: Timestamp(seconds: seconds))
                configuration.config.labels = labels
                return try store.createImage(
                    configuration: configuration, layers: layers, tags: tags.map { try Reference(parsing: $0) }
                ).id
            }
            let one = try image(["a/one:1", "b/one:1"], ["perpose": "practice"], at: 10)
            let two = try image(["two"], ["perpose": "work", "x": ""], at: 20)
            let three = try image([], [:], at: 30)
            try store.removeImage("bb")
            func ids(_ filters: String..., name: String? = nil) throws -> [Digest] {
                try fixture.engine.images(ImageListRequest(filters: filters, name: name)).map(\.id)
            }
            #expect(try ids() == [three, two, one])
            #expect(try ids("label=perpose=practice") == [one])
            #expect(try ids("label=perpose") == [two, one])
            #expect(try ids("label=perpose", "label=x=") == [two])
            #expect(try ids("dangling=true") == [three])
            #expect(try ids("reference=a/*") == [one])
            #expect(try ids("reference=*") == [two])
            #expect(try ids("reference=*", "reference=a/*") == [two, one])
            #expect(try ids("reference=*", name: "a/one:1") == [two, one])
            #expect(try ids("reference=a/*:2") == [])
            #expect(try ids("before=two") == [one])
            #expect(try ids("before=two", "before=\(three)") == [two, one])
            #expect(try ids("since=a/one:1", "dangling=false") == [two])
            #expect(try ids("until=20") == [one])
            let names = try fixture.engine.images(ImageListRequest(name: "a/*")).map(\.references)
            #expect(names == [[try Reference(parsing: "a/one:1")]])
        }
    }

    @Test func volumesAreChosen() throws {
        try EngineFixture.with { fixture in
            for name in ["data", "database", "other"] { _ = try fixture.engine.createVolume(name) }
            func names(_ filters: String...) throws -> [String] {
                try fixture.engine.volumes(VolumeListRequest(filters: filters)).map(\.name)
            }
            #expect(try names() == ["data", "database", "other"])
            #expect(try names("name=data") == ["data", "database"])
            #expect(try names("name=^data$") == ["data"])
            #expect(try names("name=base$", "name=^o") == ["database", "other"])
            #expect(try names("driver=local", "dangling=true", "name=oth") == ["other"])
            #expect(try names("dangling=false") == [])
            #expect(try names("driver=nfs") == [])
            #expect(try names("label=a") == [])
            #expect(throws: EngineError.self) { try names("name=[") }
            #expect(throws: EngineError.self) { try names("name=" + String(repeating: "(", count: 100_000)) }
        }
    }
}
