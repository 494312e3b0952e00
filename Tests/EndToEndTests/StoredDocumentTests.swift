import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

extension EndToEnd {
    /// What is on the disk is OCI: types, digests, sizes, and layers that hash to their diffIDs.
    @Suite(.serialized) struct StoredDocuments {
        @Test func manifestsAndConfigurationsValidate() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                let text = """
                    FROM busybox
                    RUN echo one > /one && ln /one /two && rm -r /data
                    WORKDIR /made/here
                    ENV A=1
                    RUN mkdir /data && mv /tmp /data/tmp
                    """
                #expect(try strata.run(["build", "-q", "-t", "built", "-f", "-", context], input: text).status == 0)
                try strata("run", "--name", "editor", "built", "sh", "-c", "echo two > /one; mkfifo /pipe")
                try strata("commit", "editor", "committed")
                for name in ["busybox", "built", "committed"] { try Self.validate(name, strata) }
            }
        }

        private static func validate(_ name: String, _ strata: Strata) throws {
            let id = try Digest(parsing: try strata("inspect", "-f", "{{.Id}}", name))
            let manifestDigest = try Digest(parsing: try strata("inspect", "-f", "{{.Descriptor.digest}}", name))
            let manifestBytes = try blob(manifestDigest, strata)
            #expect(Digest.sha256(of: manifestBytes) == manifestDigest)
            let manifest = try JSON.decode(Manifest.self, from: manifestBytes)
            #expect(manifest.schemaVersion == 2)
            #expect(manifest.mediaType == .imageManifest)
            #expect(manifest.config.mediaType == .imageConfiguration)
            #expect(manifest.config.digest == id)

            let configurationBytes = try blob(id, strata)
            #expect(Digest.sha256(of: configurationBytes) == id)
            #expect(manifest.config.size == Int64(configurationBytes.count))
            let configuration = try JSON.decode(ImageConfiguration.self, from: configurationBytes)
            #expect(configuration.rootFS.type == "layers")
            #expect(configuration.os == "linux" && configuration.created != nil)
            // Each layer has its step in the history.
            #expect(configuration.history.count { $0.emptyLayer != true } == configuration.rootFS.diffIDs.count)

            #expect(manifest.layers.map(\.digest) == configuration.rootFS.diffIDs)
            let store = try ImageStore(root: strata.root)
            for descriptor in manifest.layers {
                #expect(descriptor.mediaType == .layerTar)
                let layer = try #require(try store.layer(diffID: descriptor.digest))
                let summary = try LayerArchiveWriter.summary(of: store.layerPath(layer.id), marks: .trusted)
                #expect(summary.diffID == descriptor.digest)
                #expect(summary.archiveSize == descriptor.size)
            }
        }

        private static func blob(_ digest: Digest, _ strata: Strata) throws -> Data {
            Data(try FileDescriptor.open("\(strata.root)/blobs/sha256/\(digest.hex)").readAll())
        }
    }
}
