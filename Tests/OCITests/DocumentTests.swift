import FoundationEssentials
import OCI
import Testing

@Suite struct DocumentTests {
    @Test func configurationKeepsWhatItDoesNotKnow() throws {
        let text = """
            {"architecture":"amd64","config":{"Cmd":["/bin/sh"],"Domainname":"x","Env":null,"ExposedPorts":{"80/tcp":{}},\
            "Labels":{"a/b":"c"}},"container":"0123","created":"2024-05-01T12:00:00.000000001Z","docker_version":"20.10",\
            "history":[{"created_by":"/bin/sh -c #(nop) CMD","empty_layer":true}],"os":"linux",\
            "rootfs":{"diff_ids":[],"type":"layers"},"x":[1,2.5,true,null,{"y":"z"}]}
            """
        let configuration = try JSON.decode(ImageConfiguration.self, from: Data(text.utf8))
        #expect(configuration.config.cmd == ["/bin/sh"])
        #expect(configuration.config.env == [])
        #expect(configuration.config.exposedPorts == ["80/tcp"])
        #expect(configuration.history.first?.emptyLayer == true)
        #expect(configuration.other["container"] == .string("0123"))
        #expect(configuration.config.other["Domainname"] == .string("x"))
        let written = String(decoding: try JSON.encode(configuration), as: UTF8.self)
        #expect(written == text.replacing("\"Env\":null,", with: ""))
    }

    @Test func configurationIsDeterministic() throws {
        var configuration = ImageConfiguration(created: Timestamp(seconds: 1))
        for number in 0..<100 { configuration.config.labels["label\(number)"] = "/\(number)" }
        let first = try JSON.encode(configuration)
        var other = ImageConfiguration(created: Timestamp(seconds: 1))
        for number in (0..<100).reversed() { other.config.labels["label\(number)"] = "/\(number)" }
        #expect(try JSON.encode(other) == first)
        #expect(!String(decoding: first, as: UTF8.self).contains("\\/"))
    }

    @Test func manifestHasTheSpecifiedShape() throws {
        let digest = Digest.sha256(of: "x")
        let manifest = Manifest(
            config: Descriptor(mediaType: .imageConfiguration, digest: digest, size: 1),
            layers: [Descriptor(mediaType: .layerTar, digest: digest, size: 2)])
        let text = String(decoding: try JSON.encode(manifest), as: UTF8.self)
        #expect(
            text == """
                {"config":{"digest":"\(digest)","mediaType":"application/vnd.oci.image.config.v1+json","size":1},\
                "layers":[{"digest":"\(digest)","mediaType":"application/vnd.oci.image.layer.v1.tar","size":2}],\
                "mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}
                """)
        #expect(try JSON.decode(Manifest.self, from: Data(text.utf8)) == manifest)
    }

    @Test func indexChoosesByPlatform() throws {
        func entry(_ platform: String, _ content: String) throws -> Descriptor {
            Descriptor(
                mediaType: .imageManifest, digest: .sha256(of: content), size: 1,
                platform: try Platform(parsing: platform))
        }
        let index = Index(manifests: [
            try entry("linux/arm/v6", "a"), try entry("linux/arm/v7", "b"), try entry("linux/amd64", "c"),
        ])
        #expect(index.manifest(for: try Platform(parsing: "linux/arm/v7"))?.digest == .sha256(of: "b"))
        #expect(index.manifest(for: try Platform(parsing: "linux/amd64"))?.digest == .sha256(of: "c"))
        #expect(index.manifest(for: try Platform(parsing: "linux/riscv64")) == nil)
        #expect(throws: OCIError.self) { try Platform(parsing: "linux") }
    }

    @Test(arguments: ["", "{", "[]", "{\"os\":\"linux\"}", "{\"architecture\":1,\"os\":\"linux\",\"rootfs\":{}}"])
    func badDocumentsAreRefused(_ text: String) {
        let error = #expect(throws: OCIError.self) { try JSON.decode(ImageConfiguration.self, from: Data(text.utf8)) }
        #expect(error?.code == .badDocument)
    }

    @Test func environmentIsSetInPlace() {
        var config = ContainerConfiguration()
        config.setEnvironment("A", to: "1")
        config.setEnvironment("AB", to: "2")
        config.setEnvironment("A", to: "x=y")
        #expect(config.env == ["A=x=y", "AB=2"])
        #expect(config.environmentValue("A") == "x=y")
        #expect(config.environmentValue("B") == nil)
    }
}
