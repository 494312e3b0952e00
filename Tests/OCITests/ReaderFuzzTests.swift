import FoundationEssentials
import OCI
import TestSupport
import Testing

/// The readers of names and documents with damaged input: a value or an error, never a trap.
/// `tools/fuzz-readers` runs them for as long as wanted.
@Suite struct ReaderFuzzTests {
    @Test func damagedReferences() {
        let digest = ReferenceTests.digest
        let inputs = ["alpine", "a/b:1", "[::1]:5000/x", "host:99999/a__b/c.d-e:tag@\(digest)", digest].map {
            Array($0.utf8)
        }
        let words = ["@", ":", "/", "//", "sha256:", "..", "é", "\u{0}", " ", digest, "A", "-", "localhost"].map {
            Array($0.utf8)
        }
        Mutator.repeated(20_000) { seed, mutator in
            let text = String(decoding: mutator.mutate(inputs, words: words), as: UTF8.self)
            guard let reference = try? Reference(parsing: text) else { return }
            // What was accepted is written so that it means the same.
            #expect((try? Reference(parsing: reference.description)) == reference, "seed \(seed): \(text)")
            #expect((try? Reference(parsing: reference.familiar)) == reference, "seed \(seed): \(text)")
        }
    }

    @Test func damagedDocuments() throws {
        let digest = ReferenceTests.digest
        let inputs = [
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"a/b",\
            "digest":"\(digest)","size":7},"layers":[{"mediaType":"c","digest":"\(digest)","size":9,"urls":["u"],\
            "annotations":{"k":"v"}}],"annotations":{}}
            """,
            """
            {"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"\(digest)","size":1,"platform":{"architecture":\
            "arm64","os":"linux","variant":"v8","os.features":["x"]}}]}
            """,
            """
            {"created":"2024-01-02T03:04:05.678Z","architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Cmd":["x"],\
            "ExposedPorts":{"80/tcp":{}},"Volumes":{"/v":{}},"Labels":{"a":"b"},"Healthcheck":{"Interval":1}},\
            "rootfs":{"type":"layers","diff_ids":["\(digest)"]},"history":[{"created":"2024-01-02T03:04:05Z",\
            "empty_layer":true}]}
            """,
        ].map { Array($0.utf8) }
        let words = [
            "null", "-1", "1e999", "9223372036854775808", "[]", "{}", "\"\"", "\"\\ud800\"", "[[[[[[[[", "{\"a\":",
            "\u{0}",
            "\"digest\":", "sha256:", "true", ",", "0000-00-00T99:99:99Z", "1.5", digest,
        ].map { Array($0.utf8) }
        try Mutator.repeated(3000) { seed, mutator in
            let data = Data(mutator.mutate(inputs, words: words))
            if let manifest = try? JSON.decode(Manifest.self, from: data) {
                #expect(try JSON.decode(Manifest.self, from: JSON.encode(manifest)) == manifest, "seed \(seed)")
            }
            if let index = try? JSON.decode(Index.self, from: data) {
                #expect(try JSON.decode(Index.self, from: JSON.encode(index)) == index, "seed \(seed)")
            }
            if let configuration = try? JSON.decode(ImageConfiguration.self, from: data) {
                _ = try JSON.encode(configuration)
            }
        }
    }
}
