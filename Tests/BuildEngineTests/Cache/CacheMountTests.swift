import ImageStore
import Linux
import OCI
import Synchronization
import Testing

@testable import BuildEngine

/// `RUN --mount=type=cache` and `type=tmpfs`.
@Suite struct CacheMountTests {
    @Test func aCacheSurvivesStagesAndBuilds() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            func dockerfile(_ text: String) -> String {
                """
                FROM busybox AS first
                RUN --mount=type=cache,target=/var/cache/it echo \(text) >> /var/cache/it/log
                FROM busybox
                COPY --from=first /etc/passwd /passwd
                RUN --mount=type=cache,target=/elsewhere,id=/var/cache/it echo \(text)2 >> /elsewhere/log; \
                    cat /elsewhere/log > /log
                """
            }
            let one = try fixture.build(dockerfile("a"))
            #expect(try fixture.text("/log", in: one.image) == "a\na2\n")
            #expect(try fixture.lastLayer(one) == ["f 644 0:0 log"])
            let two = try fixture.build(dockerfile("b"))
            #expect(try fixture.text("/log", in: two.image) == "a\na2\nb\nb2\n")
            #expect(try fixture.build(dockerfile("b")).result.executedSteps == 0, "the content is no part of the key")
        }
    }

    @Test func ownersModesAndBeginningsTellCachesApart() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox AS seed
                RUN mkdir /seed && echo seeded > /seed/file && chown 3 /seed/file
                FROM busybox
                RUN --mount=type=cache,target=/c stat -c '%u:%g %a' /c > /plain; echo x > /c/x
                RUN --mount=type=cache,target=/c,uid=1000,gid=1001,mode=0700 stat -c '%u:%g %a' /c > /own; ls /c >> /own
                RUN --mount=type=cache,target=/c,from=seed,source=/seed \
                    cat /c/file > /seeded; stat -c %u /c/file >> /seeded; echo more >> /c/file
                RUN --mount=type=cache,target=/c,from=seed,source=/seed cat /c/file > /again
                RUN --mount=type=cache,target=/c,ro cat /c/x > /read && ! touch /c/y
                """)
            #expect(try fixture.text("/plain", in: built.image) == "0:0 755\n")
            #expect(try fixture.text("/own", in: built.image) == "1000:1001 700\n")
            #expect(try fixture.text("/seeded", in: built.image) == "seeded\n3\n")
            #expect(try fixture.text("/again", in: built.image) == "seeded\nmore\n")
            #expect(try fixture.text("/read", in: built.image) == "x\n")
        }
    }

    /// Builds as many at once, each with a command of its own; returns what they threw.
    private func together(_ fixture: BuildFixture, _ dockerfiles: [String]) throws -> [any Error] {
        let errors = Mutex<[any Error]>([])
        let (root, context) = (fixture.store.root, fixture.context)
        let threads = dockerfiles.map { dockerfile in
            PrivateThread.start {
                do {
                    var options = BuildOptions(context: context)
                    options.dockerfile = .text(Array(dockerfile.utf8))
                    _ = try Builder(store: try ImageStore(root: root)).build(options)
                } catch {
                    errors.withLock { $0.append(error) }
                }
            }
        }
        for thread in threads { thread.join() }
        return errors.withLock { $0 }
    }

    @Test func aLockedCacheHasOneUserAtATime() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            // mkdir fails where another command is between its mkdir and its rm.
            let command = "mkdir /c/busy && sleep 0.4 && rm -r /c/busy && echo done >> /c/log"
            let dockerfiles = (1...3).map {
                "FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked : \($0); \(command)\n"
            }
            #expect(try together(fixture, dockerfiles).isEmpty)
            let built = try fixture.build("FROM busybox\nRUN --mount=type=cache,target=/c cat /c/log > /log\n")
            #expect(try fixture.text("/log", in: built.image) == "done\ndone\ndone\n")
        }
    }

    @Test func sharedCachesAreUsedTogetherAndPrivateOnesAlone() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            // Each waits for the other's file.
            func meeting(_ sharing: String, _ me: Int) -> String {
                """
                FROM busybox
                RUN --mount=type=cache,target=/\(sharing),sharing=\(sharing) : \(me); touch /\(sharing)/\(me); \
                    for i in $(seq 1 \(sharing == "shared" ? 200 : 10)); do \
                    test -e /\(sharing)/\(3 - me) && exit 0; sleep 0.1; done; exit 9
                """
            }
            #expect(try together(fixture, [meeting("shared", 1), meeting("shared", 2)]).isEmpty)
            let errors = try together(fixture, [meeting("private", 1), meeting("private", 2)])
            #expect(errors.compactMap { ($0 as? BuildError)?.exitStatus } == [9, 9])
        }
    }

    @Test func cachesAreCountedAndPruned() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile =
                "FROM busybox\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/c/f bs=1024 count=512\n"
            _ = try fixture.build(dockerfile)
            let usage = try fixture.store.diskUsage()
            let mount = try #require(usage.cache.first { $0.isMount })
            #expect(mount.size >= 512 << 10)
            #expect(usage.cacheMountBytes == mount.size)
            #expect(usage.cacheTotal.reclaimable >= mount.size)
            #expect(mount.record.value == .mount(name: "/c"))
            let blocks = try shell("du -s --block-size=1 \(fixture.store.root) | cut -f1")
            #expect("\(usage.storeBytes)\n" == blocks)

            var selection = PruneSelection()
            selection.cache = .unshared
            selection.keptCacheBytes = 1 << 30
            #expect(try fixture.store.prune(selection).cache.isEmpty)
            selection.keptCacheBytes = 0
            let planned = try fixture.store.prune(selection, dryRun: true)
            #expect(planned.cache.contains { $0.record.key == mount.record.key })
            let key = try Digest(hex: String(mount.record.key.dropFirst("mount:".count)))
            let held = try #require(try fixture.store.cacheMount(key: key, name: "/c", exclusive: false))
            #expect(try !fixture.store.prune(selection).cache.contains(where: \.isMount), "in use")
            #expect(try fixture.store.diskUsage().cache.contains { $0.isMount && $0.isShared })
            withExtendedLifetime(held) {}
        }
    }

    @Test func cachesGoToAnotherStore() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = """
                FROM busybox
                RUN --mount=type=cache,target=/c,mode=0750,uid=5 ls -A /c; id > /c/who; mkdir -p /c/sub; ln -sf who /c/sub/link; \
                    chmod 600 /c/who; echo more >> /c/log
                """
            let built = try fixture.build(dockerfile)
            let builder = Builder(store: fixture.store)
            let cache = LocalCache(directory: fixture.directory + "/cache")
            // The step comes from the cache this time; its mount is known all the same.
            let steps = try fixture.build(dockerfile).result.steps
            var (document, layers) = try builder.cacheDocument(of: [])
            try builder.addCacheMounts(steps.cacheMounts, to: &document, &layers)
            #expect(document.mounts?.map(\.name) == ["/c"])
            try cache.write(document, layers, of: fixture.store)
            try fixture.store.releaseLeases()
            #expect(try fixture.store.layers().count == built.image.layerIDs.count, "nothing of it stays a layer")
            let other = try fixture.elsewhere()
            let again = try other.build(dockerfile) { $0.cacheSources = [cache] }
            #expect(again.result.executedSteps > 0 && again.log.output == "log\nsub\nwho\n")
            let key = try #require(try other.store.cacheMountKeys().first).dropFirst("mount:".count)
            let place = other.store.root + "/caches/" + key + "/data"
            #expect(
                try shell("cd \(place); stat -c '%a %u' . who; cat log; readlink sub/link")
                    == "750 5\n600 0\nmore\nmore\nwho\n")
            // One that is damaged is a warning, and the cache begins anew.
            try shell(
                "for f in \(fixture.directory)/cache/blobs/sha256/*; do tar -tf $f >/dev/null 2>&1 && echo x > $f; done; true"
            )
            let third = try fixture.elsewhere("third")
            let fresh = try third.build(dockerfile) { $0.cacheSources = [cache] }
            #expect(fresh.log.output == "" && fresh.log.text.contains("cannot be used"))
        }
    }

    @Test func useIsNoted() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nRUN --mount=type=cache,target=/c true\n"
            func lastUsed() throws -> Timestamp? {
                try fixture.store.diskUsage().cache.first { $0.record.kind == .mount }?.record.lastUsed
            }
            try fixture.build(dockerfile)
            try shell("touch -d @1000 \(fixture.store.root)/caches/*/about")
            #expect(try lastUsed() == Timestamp(seconds: 1000))
            try fixture.build(dockerfile) { $0.usesCache = false }
            let used = try #require(try lastUsed())
            #expect(used > Timestamp(seconds: 1000))
        }
    }

    @Test func anIdleCacheIsPruned() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nRUN --mount=type=cache,target=/c cat /c/f; echo text > /c/f\n"
            _ = try fixture.build(dockerfile)
            var selection = PruneSelection()
            selection.cache = .unshared
            let result = try fixture.store.prune(selection)
            #expect(result.cache.count(where: \.isMount) == 1)
            #expect(result.bytes >= 4096)
            #expect(try fixture.store.cacheMountKeys().isEmpty)
            let again = try fixture.build(dockerfile) { $0.usesCache = false }
            #expect(again.log.output.contains("No such file"))
        }
    }

    @Test func aDirectoryInMemoryIsEmptyLimitedAndGone() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox
                RUN --mount=type=tmpfs,target=/data,size=1m ls -A /data > /list; grep() { :; }; \
                    cat /proc/mounts > /mounts; echo x > /data/new; \
                    ! dd if=/dev/zero of=/data/big bs=1024 count=2048
                """)
            #expect(try fixture.text("/list", in: built.image) == "")
            let mounts = try #require(try fixture.text("/mounts", in: built.image))
            #expect(mounts.contains(/tmpfs \/data tmpfs [^\n]*size=1024k/))
            #expect(try fixture.lastLayer(built) == ["f 644 0:0 list", "f 644 0:0 mounts"])
            #expect(try fixture.text("/data/file", in: built.image) == "old\n")
        }
    }
}
