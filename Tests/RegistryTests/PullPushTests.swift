import Distribution
import ImageStore
import Linux
import OCI
import Registry
import Synchronization
import TestSupport
import Testing

@Suite struct PullPushTests {
    private static let scripts = [
        "mkdir -p a/b; head -c 3000000 /dev/urandom > a/random; ln a/random a/b/linked; ln -s ../random a/b/symbolic",
        "seq 200000 > numbers; mkdir a; setfattr -n user.note -v text numbers; chmod 4755 numbers; touch a/.wh.random",
        "mkfifo pipe; truncate -s 5M sparse; mknod device c 1 3",
    ]

    @Test func whatIsPushedComesBack() async throws {
        let registry = try DebianRegistry()
        let (here, there) = (try RegistryStore(), try RegistryStore())
        let name = "\(registry.domain)/group/image:one"
        let image = try here.image("image:one", Self.scripts)
        let pushed = try await here.push("image:one", as: name)
        let inspected = try shell("skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://\(name)")
        #expect(inspected == pushed.digest.description)

        let pulled = try await there.pull(name)
        #expect(pulled.image.id == image.id)
        #expect(pulled.digest == pushed.digest && pulled.image.manifestDigest == pushed.digest)
        #expect(!pulled.wasUpToDate)
        #expect(try there.listing(pulled.image) == (try here.listing(image)))

        // Nothing is fetched or sent twice.
        _ = try registry.requests()
        let events = Events()
        #expect(try await there.pull(name) { events.add($0) }.wasUpToDate)
        #expect(events.count(.exists) == 3)
        let again = try await here.push("image:one", as: name)
        #expect(again == pushed)
        #expect(try await there.push(name, as: name).digest == pushed.digest)
        let requests = try registry.requests()
        #expect(!requests.isEmpty && requests.fetchedBlobs.isEmpty && requests.sentBlobs.isEmpty, "\(requests)")
        #expect(requests.filter { $0.hasPrefix("POST") }.isEmpty, "\(requests)")
    }

    @Test func aNewRepositoryTakesTheBlobsOfAnother() async throws {
        let registry = try DebianRegistry()
        let store = try RegistryStore()
        _ = try store.image("image:one", Self.scripts)
        let pushed = try await store.push("image:one", as: "\(registry.domain)/first:one")
        _ = try registry.requests()
        let events = Events()
        let second = try await store.push("image:one", as: "\(registry.domain)/second:one") { events.add($0) }
        #expect(second.digest == pushed.digest)
        #expect(events.count(.mounted(from: "first")) == 3)
        let sent = try registry.requests().filter { $0.hasPrefix("PATCH") }
        // The configuration alone.
        #expect(sent.count == 1, "\(sent)")
    }

    /// The forms in which other tools leave images in registries.
    struct Form: Sendable, CustomStringConvertible {
        var options: String
        var description: String { options }
    }

    @Test(arguments: [
        Form(options: "--format oci --dest-compress-format gzip"),
        Form(options: "--format oci --dest-compress-format zstd"),
        Form(options: "--format v2s2 --dest-compress-format gzip"), Form(options: "--format v2s2"),
    ])
    func imagesOfSkopeoKeepTheirDigests(_ form: Form) async throws {
        let (registry, other) = (try DebianRegistry(), try DebianRegistry())
        let (here, there) = (try RegistryStore(), try RegistryStore())
        let image = try here.image("image:one", Self.scripts)
        try await here.push("image:one", as: "\(registry.domain)/ours:one")
        let name = "\(registry.domain)/theirs:one"
        // By way of a directory of archives, so that skopeo compresses anew.
        try shell(
            """
            skopeo copy -q --src-tls-verify=false --dest-decompress docker://\(registry.domain)/ours:one dir:plain
            skopeo copy -q --dest-tls-verify=false \(form.options) dir:plain docker://\(name)
            """, in: here.directory)
        let theirs = try shell("skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://\(name)")
        let pulled = try await there.pull(name)
        #expect(pulled.digest.description == theirs)
        #expect(pulled.image.configuration.rootFS == image.configuration.rootFS)
        #expect(try there.listing(pulled.image) == (try here.listing(image)))

        // To the same registry, and to another one, which gets the layers handed through.
        let beside = try await there.push(name, as: "\(registry.domain)/copy:one")
        #expect(beside.digest.description == theirs)
        let elsewhere = try await there.push(name, as: "\(other.domain)/copy:one")
        #expect(elsewhere.digest.description == theirs)
        try shell(
            "skopeo copy -q --src-tls-verify=false docker://\(other.domain)/copy:one dir:copy", in: here.directory)
        #expect(try shell("sha256sum < copy/manifest.json | cut -d' ' -f1", in: here.directory) == elsewhere.digest.hex)
    }

    /// Compresses the plain layers of an image in a directory as nobody else would.
    private static let strangeForm = """
        import gzip, hashlib, json
        manifest = json.load(open("plain/manifest.json"))
        for layer in manifest["layers"]:
            form = gzip.compress(open("plain/" + layer["digest"][7:], "rb").read(), 1, mtime=5)
            layer["digest"] = "sha256:" + hashlib.sha256(form).hexdigest()
            layer["size"] = len(form)
            layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip"
            open("plain/" + layer["digest"][7:], "wb").write(form)
        json.dump(manifest, open("plain/manifest.json", "w"))
        """

    @Test func aStrangeFormIsHandedThroughOrMadeAnewAndThatIsSaid() async throws {
        let (registry, second, third) = (try DebianRegistry(), try DebianRegistry(), try DebianRegistry())
        let (here, there) = (try RegistryStore(), try RegistryStore())
        _ = try here.image("image:one", [Self.scripts[0]])
        try await here.push("image:one", as: "\(registry.domain)/ours:one")
        let name = "\(registry.domain)/theirs:one"
        try FileDescriptor.open(here.directory + "/strange.py", [.create, .writeOnly], mode: 0o600)
            .writeAll(Self.strangeForm)
        try shell(
            """
            skopeo copy -q --src-tls-verify=false --dest-decompress docker://\(registry.domain)/ours:one dir:plain
            python3 strange.py
            skopeo copy -q --preserve-digests --dest-tls-verify=false dir:plain docker://\(name)
            """, in: here.directory)
        let pulled = try await there.pull(name)
        let through = try await there.push(name, as: "\(second.domain)/copy:one")
        #expect(through.digest == pulled.digest)
        registry.stop()
        second.stop()
        var hasty = RegistryStore.settings
        hasty.retries = 0
        let events = Events()
        let pushed = try await there.push(name, as: "\(third.domain)/copy:one", hasty) { events.add($0) }
        #expect(pushed.digest != pulled.digest)
        #expect(events.remarks.count == 1 && events.remarks.first?.contains(pulled.digest.description) == true)
        let back = try await RegistryStore().pull("\(third.domain)/copy:one")
        #expect(back.image.id == pulled.image.id)
    }

    @Test func anIndexLeadsToThePlatform() async throws {
        let registry = try DebianRegistry()
        let store = try RegistryStore()
        var descriptors: [Descriptor] = []
        for architecture in ["amd64", "arm64"] {
            let layer = try store.image("part:\(architecture)", ["echo \(architecture) > name"]).layerIDs
            var configuration = ImageConfiguration(platform: Platform(architecture: architecture, os: "linux"))
            configuration.created = Timestamp(seconds: 1)
            let image = try store.store.createImage(
                configuration: configuration, layers: layer, tags: [try Reference(parsing: "part:\(architecture)")])
            let pushed = try await store.push("part:\(architecture)", as: "\(registry.domain)/many:\(architecture)")
            descriptors.append(
                Descriptor(
                    mediaType: .imageManifest, digest: pushed.digest, size: pushed.size,
                    platform: image.configuration.platform))
        }
        let index = RegistryDocument(content: try JSON.encode(Index(manifests: descriptors)), mediaType: .imageIndex)
        let client = RegistryClient(domain: registry.domain, settings: RegistryStore.settings)
        try await RegistryStore.closing([client]) {
            try await client.putManifest(index, in: "many", as: "all")
            #expect(try await client.tags(of: "many").sorted() == ["all", "amd64", "arm64"])
        }
        let fresh = try RegistryStore()
        let name = "\(registry.domain)/many:all"
        for architecture in ["arm64", "amd64"] {
            let pulled = try await fresh.pull(name, platform: Platform(architecture: architecture, os: "linux"))
            #expect(pulled.image.configuration.architecture == architecture)
            #expect(pulled.digest == index.digest)
            let path = try #require(fresh.store.lowerPaths(pulled.image.layerIDs).first)
            #expect(try shell("cat name", in: path) == architecture)
        }
        let byDigest = try await fresh.pull("\(registry.domain)/many@\(descriptors[1].digest)")
        #expect(byDigest.image.configuration.architecture == "arm64")
        #expect(
            try fresh.store.image(matching: "\(registry.domain)/many@\(descriptors[1].digest)").id == byDigest.image.id)
        let error = await #expect(throws: DistributionError.self) {
            try await fresh.pull(name, platform: Platform(architecture: "s390x", os: "linux"))
        }
        #expect(error?.code == .wrongPlatform && error?.description.contains("linux/arm64") == true)
    }

    @Test func whatIsMissingIsSaidInTheRegistrysWords() async throws {
        let registry = try DebianRegistry()
        let store = try RegistryStore()
        let error = await #expect(throws: DistributionError.self) {
            try await store.pull("\(registry.domain)/nobody:knows")
        }
        #expect(error?.code == .registry(.notFound))
        #expect(error?.message.contains("MANIFEST_UNKNOWN") == true, "\(error?.message ?? "")")
        registry.stop()
        let silence = await #expect(throws: DistributionError.self) {
            try await store.pull("\(registry.domain)/nobody:knows", RegistryStore.hasty)
        }
        #expect(silence?.code == .registry(.connection))
    }
}
