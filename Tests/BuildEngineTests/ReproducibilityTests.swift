import Glibc
import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine

/// The same sources make the same image, wherever and whenever they are built.
@Suite(.serialized) struct ReproducibilityTests {
    /// Everything that makes files, and what could bring something of the machine into a layer.
    private static let dockerfile = """
        FROM busybox AS tool
        RUN mkdir -p /out/sub && echo tool > /out/sub/tool && ln -s sub/tool /out/link && touch -d @1000 /out/old
        FROM busybox
        ARG WORD=x
        WORKDIR /made/deep
        RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/not/there \
            --mount=type=bind,target=/context echo $WORD > word && cat /context/one/file /etc/hostname > /seen
        COPY one /copied/
        COPY --chown=app --chmod=0640 one/file three /with/flags/
        COPY --link one/file /linked/file
        COPY --parents one/./deep/file two* /parents/
        COPY --exclude=*.txt one /excluded/
        COPY --from=tool /out /data/
        ADD archive.tar /unpacked/
        ADD --link three link-to-three /added/
        COPY <<EOF /heredoc
        text
        EOF
        RUN rm -r /copied && mv /data/inner /moved && chmod 700 /with/flags
        ENV A=1
        CMD ["sh"]
        """

    /// Puts the sources into a directory; names are made in another order each time.
    private func makeContext(_ directory: String, reversed: Bool, mask: String) throws {
        try shell(
            """
            umask \(mask); mkdir -p \(directory); cd \(directory)
            for name in \(reversed ? "three two-b two-a one" : "one two-a two-b three"); do
                case $name in one) mkdir -p one/deep;; *) echo $name > $name;; esac
            done
            for name in \(reversed ? "b.txt deep/file file" : "file deep/file b.txt"); do echo $name > one/$name; done
            ln -s three link-to-three
            chmod 755 one one/deep; find . -type f -exec chmod 644 '{}' +
            find . -exec touch -h -d @1500000000 '{}' +
            tar --sort=name --owner=0 --group=0 --mtime=@1400000000 -cf archive.tar one; chmod 644 archive.tar
            touch -d @1500000000 archive.tar .
            """)
    }

    @Test func theSameSourcesMakeTheSameImage() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let other = try fixture.elsewhere()
            let before = try fixture.listing(of: fixture.store.layerPath(fixture.base.layerIDs[0]))
            var ids: [Digest] = []
            var manifests: [Digest] = []
            for (index, place) in [fixture, other].enumerated() {
                let directory = "\(fixture.directory)/sources-\(index)"
                try makeContext(directory, reversed: index == 1, mask: index == 0 ? "022" : "077")
                let old = umask(index == 0 ? 0o022 : 0o077)
                defer { umask(old) }
                let built = try place.build(Self.dockerfile) {
                    $0.context = directory
                    $0.buildArguments["SOURCE_DATE_EPOCH"] = "1600000000"
                }
                ids.append(built.image.id)
                manifests.append(built.image.manifestDigest)
                let configuration = built.image.configuration
                #expect(configuration.created == Timestamp(seconds: 1_600_000_000))
                let times = Set(configuration.history.dropFirst().map(\.created))
                #expect(times == [Timestamp(seconds: 1_600_000_000)])
                #expect(configuration.history.first?.created == fixture.base.configuration.created, "the base's own")
                #expect(built.image.layerIDs.first == place.base.layerIDs.first)
                #expect(!built.log.text.contains("no ARG declares"))
                let times2 = Set(try timesOfNewFiles(place, built.image))
                #expect(times2 == [1000, 1_400_000_000, 1_500_000_000, 1_600_000_000], "\(times2)")
                #expect(
                    try place.build(Self.dockerfile) {
                        $0.context = directory
                        $0.buildArguments["SOURCE_DATE_EPOCH"] = "1600000000"
                    }.result.executedSteps == 0)
                // The clock has to move on for the second build to have other times.
                MonotonicClock.sleep(milliseconds: 1100)
            }
            #expect(ids[0] == ids[1])
            #expect(manifests[0] == manifests[1])
            #expect(try fixture.listing(of: fixture.store.layerPath(fixture.base.layerIDs[0])) == before)
        }
    }

    /// Times of all that lies in the layers above the base, but for what the base had.
    private func timesOfNewFiles(_ fixture: BuildFixture, _ image: ImageRecord) throws -> [Int64] {
        var times: [Int64] = []
        for id in image.layerIDs.dropFirst() {
            times += try shell(
                "cd \(fixture.store.layerPath(id)) && find . -mindepth 1 ! -type c -printf '%Ts\\n'"
            ).split(separator: "\n").compactMap { Int64($0) }
        }
        // Directories of the base that were copied up as they were, and files of it that were moved, have its times.
        let base = Set(
            try shell("cd \(fixture.store.layerPath(fixture.base.layerIDs[0])) && find . -printf '%Ts\\n'")
                .split(separator: "\n").compactMap { Int64($0) })
        return times.filter { !base.contains($0) }
    }

    @Test func timesChangeNothingForTheCacheAndCanBeLeft() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nRUN echo 1 > /one\n"
            let plain = try fixture.build(dockerfile)
            let dated = try fixture.build(dockerfile) { $0.buildArguments["SOURCE_DATE_EPOCH"] = "1700000001" }
            #expect(dated.result.executedSteps == 0, "the time is no part of the key")
            #expect(try fixture.status("/one", in: dated.image)?.modificationTime == TimeSpec(seconds: 1_700_000_001))
            #expect(try fixture.status("/one", in: plain.image)?.modificationTime.seconds ?? 0 > 1_750_000_000)
            let kept = try fixture.build(dockerfile) {
                $0.buildArguments["SOURCE_DATE_EPOCH"] = "1700000001"
                $0.assembly.rewritesTimes = false
            }
            #expect(kept.image.layerIDs == plain.image.layerIDs)
            #expect(kept.image.configuration.created == Timestamp(seconds: 1_700_000_001))
            let layers = try fixture.store.layers().count
            _ = try fixture.build(dockerfile) { $0.buildArguments["SOURCE_DATE_EPOCH"] = "1700000001" }
            #expect(try fixture.store.layers().count == layers, "the layer with other times is made once")
            let declared = try fixture.build("ARG SOURCE_DATE_EPOCH=1700000002\n" + dockerfile)
            #expect(declared.image.configuration.created == Timestamp(seconds: 1_700_000_002))
            let seen = try fixture.build("FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN echo $SOURCE_DATE_EPOCH\n") {
                $0.buildArguments["SOURCE_DATE_EPOCH"] = "5"
            }
            #expect(seen.log.output == "5\n")
            for wrong in ["yesterday", "1.5", "99999999999999999999", "253402300800"] {
                let error = try fixture.failure(dockerfile) { $0.buildArguments["SOURCE_DATE_EPOCH"] = wrong }
                #expect(error.code == .badOption)
            }
            let empty = try fixture.build(dockerfile) { $0.buildArguments["SOURCE_DATE_EPOCH"] = "" }
            #expect(empty.result.imageID == plain.result.imageID)
        }
    }

    /// Without the variable only the times of the configuration and of what commands and the builder make differ.
    @Test func layersOfCopiedFilesNeedNoDate() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let other = try fixture.elsewhere()
            try fixture.write("dir/file", "text")
            try shell("touch -d @1500000000 \(fixture.context)/dir/file \(fixture.context)/dir")
            let dockerfile = "FROM scratch\nCOPY dir/file /file\nCOPY --link --chmod=600 dir/file /other\n"
            let one = try fixture.build(dockerfile)
            MonotonicClock.sleep(milliseconds: 20)
            let two = try other.build(dockerfile)
            #expect(one.image.configuration.rootFS == two.image.configuration.rootFS)
            #expect(one.image.id != two.image.id, "history has times")
        }
    }

    @Test func exportedFilesHaveTheDate() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build("FROM busybox\nRUN echo 1 > /one\n")
            let target = fixture.directory + "/out"
            try shell("mkdir \(target); touch -d @77 \(target)/mine")
            let time = Timestamp(seconds: 1_234_567_890)
            try Builder(store: fixture.store).exportFiles(of: built.image, to: target, time: time)
            let times = try shell("cd \(target) && find . -mindepth 1 ! -name mine -printf '%Ts\\n' | sort -u")
            #expect(times == "1234567890\n")
            #expect(try shell("stat -c %Y \(target)/mine") == "77\n")
        }
    }
}
