import Glibc
import Linux
import TestSupport
import Testing

/// A store of Strata's and one of Buildah's with the same base image, both in memory, for many small builds.
struct BuildComparison: Sendable {
    /// The stores of the test that runs.
    @TaskLocal static var current: BuildComparison?

    /// What a build made.
    struct Image {
        /// The parts of the configuration that say something, as `KEY JSON`.
        var configuration: Set<String>
        var tree: TreeListing
    }

    /// Where the cases are: a directory for each, with
    /// - `Dockerfile`, and `context.sh`, which fills the context that it is started in;
    /// - `arguments` of the command line, in which `CONTEXT` stands for the context's path;
    /// - `expected`, if Buildah is no oracle: why, and what the image has that its base has not. A case that has to fail
    ///   says `fails:` and what the error says.
    static let directory =
        "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/comparisons"

    /// The names of the cases.
    static let names: [String] = {
        let directory = try? FileDescriptor.open(Self.directory, .directory)
        let names = try? directory?.sortedEntryNames().map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return names ?? []
    }()

    private let strata: Strata
    private let buildah: ContainerTool
    private let base: Image
    /// What was modified from here on was modified by a build.
    private let recent: Int64

    /// Makes the stores, with a base image that has links, set-id bits and owners to copy over.
    init(scratch: String) throws {
        strata = Strata(scratch: scratch)
        buildah = try ContainerTool(.buildah, home: "\(scratch)/buildah", overlay: "")
        recent = TimeSpec.current.seconds - 3600
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        try Program.shell(
            """
            mkdir '\(scratch)/tree'; cd '\(scratch)/tree'; tar -xpf '\(try Busybox.archive())'
            mkdir -p run data/inner opt/full/sub; touch etc/hosts etc/resolv.conf etc/hostname
            echo 'audio:x:29:app' >>etc/group; chown 7:8 data; chmod 2770 data
            ln -s data link; ln -s /data absolute; ln -s data/file to-file; ln -s /nowhere/at/all dangling
            echo one >opt/full/one; echo two >opt/full/sub/two; ln opt/full/one opt/full/same
            chmod 4750 opt/full/sub/two; ln -s ../../.. opt/full/up
            find . -exec touch -h -d @900000000 {} +
            tar --numeric-owner -cf ../base.tar .; rm -r ../tree
            """)
        try strata("import", "-c", #"CMD ["sh"]"#, "-c", "ENV \(path)", "\(scratch)/base.tar", "busybox")
        try buildah.load(archive: "\(scratch)/base.tar", as: "busybox")
        base = try Self.image("busybox", of: strata, recent: recent)
    }

    /// Builds a case, and compares.
    func check(_ name: String) async throws {
        let place = "\(Self.directory)/\(name)"
        let context = "\(strata.scratch)/context"
        try Program.shell(
            """
            rm -rf '\(context)'; mkdir '\(context)'; cd '\(context)'; umask 022; chmod 755 .
            cp '\(place)/Dockerfile' .; if [ -e '\(place)/context.sh' ]; then . '\(place)/context.sh'; fi
            find . -newermt @1700000000 -exec touch -h -d @1000000000 {} +
            """)
        let words = try Self.text("\(place)/arguments") ?? ""
        let arguments = words.split(whereSeparator: \.isWhitespace).map {
            String($0.replacing("CONTEXT", with: context))
        }
        let expected = try Self.text("\(place)/expected")
        // Both at the same time: a build waits more than it works.
        async let theirs = expected == nil ? try buildahs(name, context, arguments) : nil
        let outcome = try strata.run(["build", "--network", "host", "-t", name] + arguments + [context])
        if let expected {
            let lines = expected.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
            try check(outcome, name, against: lines)
        }
        guard let theirs = try await theirs else { return }
        try #require(outcome.status == 0, "\(outcome)")
        let ours = try Self.image(name, of: strata, recent: recent)
        #expect(ours.configuration.subtracting(theirs.configuration).sorted() == [])
        #expect(theirs.configuration.subtracting(ours.configuration).sorted() == [])
        let (here, there) = (ours.tree.changes(since: theirs.tree), theirs.tree.changes(since: ours.tree))
        #expect(here == [], "Buildah has: \(there.joined(separator: "\n"))")
    }

    private func check(_ outcome: Outcome, _ name: String, against expected: [String]) throws {
        if let failure = expected.first, failure.hasPrefix("fails: ") {
            #expect(outcome.status != 0)
            #expect(outcome.errors.contains(failure.dropFirst("fails: ".count)), "\(outcome)")
            return
        }
        try #require(outcome.status == 0, "\(outcome)")
        let image = try Self.image(name, of: strata, recent: recent)
        var changes = image.configuration.subtracting(base.configuration).sorted()
        // An image from scratch has nothing of the base.
        changes += image.tree.changes(since: image.tree.lines["/bin"] == nil ? TreeListing() : base.tree)
        #expect(changes == expected, "is:\n\(changes.joined(separator: "\n"))")
    }

    // MARK: The two tools

    private static func image(_ name: String, of strata: Strata, recent: Int64) throws -> Image {
        let mount = try strata.directory("mounted")
        let configuration = try strata("image", "inspect", name)
        try strata("mount", name, mount)
        defer { _ = try? strata.run(["umount", mount]) }
        return Image(
            configuration: try parts(of: configuration, at: "[0]['Config']"),
            tree: try TreeListing(of: mount, recent: recent))
    }

    private func buildahs(_ name: String, _ context: String, _ arguments: [String]) throws -> Image {
        defer { _ = try? buildah.shell("tool rm look") }
        let answer = try buildah.shell(
            """
            policy="--signature-policy $PWD/policy.json"
            tool build $policy --layers --pull-never --network host --isolation oci --format docker \\
                --identity-label=false \(arguments.joined(separator: " ")) -t localhost/\(name) '\(context)' >log 2>&1 ||
                { cat log >&2; exit 1; }
            tool from $policy --pull-never --name look localhost/\(name) >/dev/null
            tool mount look
            tool inspect --type image localhost/\(name)
            """)
        let end = answer.firstIndex(of: "\n") ?? answer.endIndex
        return Image(
            configuration: try Self.parts(of: String(answer[end...]), at: "['Docker']['config']"),
            tree: try TreeListing(of: String(answer[..<end]), recent: recent))
    }

    private static func parts(of document: String, at path: String) throws -> Set<String> {
        let script = """
            import json, sys
            config = json.load(sys.stdin)\(path)
            for key in ('Env Cmd Entrypoint User WorkingDir Labels ExposedPorts Volumes StopSignal Healthcheck OnBuild '
                        'Shell').split():
                value = config.get(key)
                if value: print(key, json.dumps(sorted(value) if key == 'Env' else value, sort_keys=True))
            """
        let outcome = try Program.run(["python3", "-c", script], input: document)
        try #require(outcome.status == 0, "\(outcome)")
        return Set(outcome.lines)
    }

    private static func text(_ path: String) throws -> String? {
        guard access(path, F_OK) == 0 else { return nil }
        return String(decoding: try FileDescriptor.open(path).readAll(), as: UTF8.self)
    }

    // MARK: The end

    /// Removes containers and mounts.
    func end() {
        buildah.end()
        _ = try? strata.run(["umount", "--all"])
    }
}

/// Makes the stores for a suite, and removes them after it.
struct ComparisonStores: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let scratch = try Program.shell("mktemp -d /var/tmp/strata-e2e-compare-XXXXXX").split(separator: "\n").joined()
        defer {
            _ = try? Program.shell(
                "umount -R -l '\(scratch)' || true; rmdir '\(scratch)' || rm -rf --one-file-system '\(scratch)'")
        }
        try Program.shell("mount -t tmpfs -o mode=755 tmpfs '\(scratch)'")
        let comparison = try BuildComparison(scratch: scratch)
        defer { comparison.end() }
        try await BuildComparison.$current.withValue(comparison) { try await function() }
    }
}
