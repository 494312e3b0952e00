import ImageStore
import Linux
import OCI
import Runtime
import Testing

@testable import BuildEngine

/// Files are put into layers without a mount: what comes out has to be what the same operations on a mount give.
@Suite struct MountEquivalenceTests {
    /// An instruction, and what does the same in the mounted root file system (`$R`) from the context (`$C`).
    struct Pair: Sendable, CustomTestStringConvertible {
        var line: String
        var script: String
        var testDescription: String { line }
    }

    @Test(arguments: [
        Pair(line: "COPY f /data/inner/f", script: "cp -p $C/f $R/data/inner/f"),
        Pair(line: "COPY f /data/file", script: "rm $R/data/file; cp -p $C/f $R/data/file"),
        Pair(line: "COPY f /acl/deep/er/f", script: "cp -p $C/f $R/acl/deep/er/f"),
        Pair(line: "COPY f /gone/f", script: "mkdir -m 755 $R/gone; cp -p $C/f $R/gone/f"),
        Pair(line: "COPY f /shut/new/f", script: "mkdir -m 755 $R/shut/new; cp -p $C/f $R/shut/new/f"),
        Pair(
            line: "COPY d /acl",
            script:
                "cp -rp $C/d/x $R/acl/; cp -p $C/d/deep/y $R/acl/deep/; chown 0:0 $R/acl/deep; chmod 755 $R/acl/deep; touch -r $C/d/deep $R/acl/deep"
        ),
        Pair(line: "WORKDIR /acl/deep/w", script: "mkdir -m 755 $R/acl/deep/w"),
    ])
    func layersAreTheSame(_ pair: Pair) throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("f", "text")
            try fixture.write("d/x/z", "z")
            try fixture.write("d/deep/y", "y")
            try shell("cd \(fixture.context); touch -d @5000 f d d/x d/x/z d/deep d/deep/y")
            try shell("cd \(fixture.context); mkdir -p tree/acl; setfattr -n user.note -v kept tree/acl")
            // Directories with attributes in several layers, one that is gone, and one that hides what was there.
            let below = try fixture.build(
                """
                FROM busybox
                COPY tree /
                RUN mkdir -p /acl/deep/er /gone/inner /shut/old && chmod 1755 /acl && touch -d @777 /acl/deep/er /acl/deep
                RUN rm -r /gone /shut && mkdir -m 700 /shut && chown 5:6 /acl/deep && touch -d @888 /acl /shut
                """, tag: "below")

            let built = try fixture.build("FROM below\n\(pair.line)\n")
            let ours = fixture.store.layerPath(try #require(built.image.layerIDs.last))

            let mount = try BuildMount(
                RuntimeContext(store: fixture.store, environment: .current()), layers: below.image.layerIDs,
                purpose: .files)
            try shell("umask 022; C=\(fixture.context) R=\(mount.rootfs); \(pair.script)")
            let pending = try mount.commit()
            _ = try pending.finish()
            let (written, mounted) = (try Self.listing(ours), try Self.listing(pending.path))
            #expect(written == mounted)
            try fixture.store.releaseLeases()
        }
    }

    /// Everything but the times of what changed just now.
    private static func listing(_ path: String) throws -> [String] {
        let lines = try shell(
            "cd \(path) && find . -printf '%P %y %m %U:%G %n %T@ %l\\n'; getfattr -R -d -m - --absolute-names .")
        return lines.split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: false).map { field in
                guard field.contains("."), let seconds = Double(field) else { return String(field) }
                return seconds < 1_000_000 ? "\(Int(seconds))" : "recent"
            }.joined(separator: " ")
        }.sorted()
    }
}
