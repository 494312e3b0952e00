import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

@Suite struct ContainerTests {
    @Test func livesAndEnds() throws {
        let test = try TemporaryStore()
        let layer = try test.layer("chmod 1711 .; chown 3:4 .; setfattr -n user.a -v b .; echo x > f")
        let image = try test.image(layers: [layer.id], "x", tags: ["app"])
        let made = try test.store.createContainer(
            NewContainer(
                name: "web", imageID: image.id, imageName: "app", layerIDs: image.layerIDs,
                arguments: ["sh", "-c", "ä"],
                configJSON: Data("{}".utf8)))
        let paths = test.store.containerPaths(made.id)
        let listing = "stat -c '%n %a %u:%g' upper; getfattr --only-values -n user.a upper; ls -A upper work rootfs"
        #expect(try shell(listing, in: paths.directory) == "upper 1711 3:4\nbrootfs:\n\nupper:\n\nwork:\n")
        #expect(made.id.utf8.count == 64)
        let started = Timestamp(seconds: 100, nanoseconds: 5)
        let updated = try test.store.updateContainer(made.id) {
            $0.state = .running
            $0.pid = 77
            $0.supervisor = .current
            $0.startedAt = started
            $0.name = "web2"
        }
        let seen = try test.reopened().container(matching: "web2")
        #expect(seen == updated)
        #expect(seen.state == .running && seen.pid == 77 && seen.startedAt == started)
        #expect(seen.supervisor?.isAlive == true)
        #expect(seen.arguments == ["sh", "-c", "ä"])
        #expect(seen.layerIDs == image.layerIDs)
        for text in [made.id, made.shortID, String(made.id.prefix(4)), "/web2"] {
            #expect(try test.store.container(matching: text).id == made.id)
        }
        for text in ["web", "", "zzz", "*"] {
            let error = #expect(throws: StoreError.self) { try test.store.container(matching: text) }
            #expect(error?.code == .noSuchContainer)
        }
        try test.store.removeContainer(made.id)
        #expect(try test.names(in: "containers") == [])
        #expect(try test.store.containers(includingBuilds: true) == [])
        let error = #expect(throws: StoreError.self) { try test.store.removeContainer(made.id) }
        #expect(error?.code == .noSuchContainer)
    }

    @Test func namesAreUnique() throws {
        let test = try TemporaryStore()
        let first = try test.store.createContainer(NewContainer(name: "one", layerIDs: []))
        let error = #expect(throws: StoreError.self) {
            try test.store.createContainer(NewContainer(name: "one", layerIDs: []))
        }
        #expect(error?.code == .nameInUse)
        #expect(error?.message.contains(first.id) == true)
        let second = try test.store.createContainer(NewContainer(layerIDs: []))
        let renaming = #expect(throws: StoreError.self) {
            try test.store.updateContainer(second.id) { $0.name = "one" }
        }
        #expect(renaming?.code == .nameInUse)
        for bad in ["", "a", "-a", "a b", "a/b", "ä1", String(repeating: "x", count: 129)] {
            let error = #expect(throws: StoreError.self) {
                try test.store.createContainer(NewContainer(name: bad, layerIDs: []))
            }
            #expect(error?.code == .badName)
        }
        #expect(try test.names(in: "containers").count == 2)
        try test.expectNothingUnfinished()
    }

    @Test func manyNamesAreMadeUp() throws {
        let test = try TemporaryStore()
        var names: Set<String> = []
        for _ in 0..<200 { names.insert(try test.store.createContainer(NewContainer(layerIDs: [])).name) }
        #expect(names.count == 200)
        #expect(names.allSatisfy { $0.contains("_") })
    }

    @Test func buildsAreListedOnRequest() throws {
        let test = try TemporaryStore()
        _ = try test.store.createContainer(NewContainer(layerIDs: [], isBuild: true))
        #expect(try test.store.containers() == [])
        #expect(try test.store.containers(includingBuilds: true).count == 1)
    }

    @Test func unknownLayersAreRefused() throws {
        let test = try TemporaryStore()
        #expect(throws: StoreError.self) {
            try test.store.createContainer(NewContainer(layerIDs: [LayerID(rawValue: "none")]))
        }
        #expect(try test.names(in: "containers") == [])
        try test.expectNothingUnfinished()
    }

    @Test func mountedContainersAreNotRemoved() throws {
        let test = try TemporaryStore()
        let container = try test.store.createContainer(NewContainer(name: "busy", layerIDs: []))
        let paths = test.store.containerPaths(container.id)
        let precious = try test.tree("precious", "echo x > file")
        try shell("mount --bind \(precious) \(paths.rootfs)")
        defer { _ = try? shell("umount -l \(paths.rootfs) 2>&1 || true") }
        let error = #expect(throws: StoreError.self) { try test.store.removeContainer(container.id) }
        #expect(error?.code == .conflict)
        #expect(try shell("cat \(precious)/file") == "x\n")
        try shell("umount \(paths.rootfs)")
        try test.store.removeContainer(container.id)
        #expect(try shell("cat \(precious)/file") == "x\n")
    }

    @Test func mountsKeepLayers() throws {
        let test = try TemporaryStore()
        let image = try test.image("1", tags: ["app"])
        try test.store.releaseLeases()
        let mount = MountRecord(
            mountPoint: "/mnt/x", imageID: image.id, layerIDs: image.layerIDs, readOnly: true, server: .current)
        try test.store.addMount(mount)
        #expect(try test.store.mounts() == [mount])
        let error = #expect(throws: StoreError.self) { try test.store.removeImage("app", force: true) }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("/mnt/x") == true)
        try test.store.removeMount(at: "/mnt/x")
        try test.store.removeMount(at: "/mnt/x")
        #expect(try test.store.mounts() == [])
        // What a dead server mounted is in nobody's way.
        try test.store.addMount(
            MountRecord(
                mountPoint: "/mnt/y", imageID: image.id, layerIDs: image.layerIDs, readOnly: true,
                server: ProcessIdentity(pid: 4_194_304, startTime: 1)))
        try test.store.removeImage("app")
        #expect(try test.store.mounts() == [])
        #expect(try test.names(in: "layers") == [])
    }
}
