import OCI
import Testing

@Suite struct DigestTests {
    @Test func knownValues() {
        #expect(
            Digest.sha256(of: "").description
                == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Digest.sha256(of: Array("abc".utf8)).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func piecesMakeTheWhole() {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var hasher = DigestHasher()
        for start in stride(from: 0, to: bytes.count, by: 777) {
            hasher.update(Array(bytes[start..<min(start + 777, bytes.count)]))
        }
        #expect(hasher.finish() == Digest.sha256(of: bytes))
        #expect(hasher.byteCount == 100_000)
    }

    @Test func aCopyGoesItsOwnWay() {
        var first = DigestHasher()
        first.update(Array("a".utf8))
        var second = first
        first.update(Array("b".utf8))
        second.update(Array("c".utf8))
        #expect(first.finish() == Digest.sha256(of: "ab") && second.finish() == Digest.sha256(of: "ac"))
        // What is finished may still be added to.
        first.update(Array("c".utf8))
        first.update([])
        #expect(first.finish() == Digest.sha256(of: "abc") && first.byteCount == 3)
        #expect(first.withDigestBytes { Digest.hexadecimal($0) } == first.finish().hex)
    }

    @Test func manyThreadsHashAtOnce() async {
        let digests = await withTaskGroup(of: Digest.self) { group in
            for _ in 0..<64 { group.addTask { .sha256(of: String(repeating: "x", count: 100_000)) } }
            return await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests == [.sha256(of: String(repeating: "x", count: 100_000))])
    }

    @Test(arguments: [
        "", "sha256", "sha256:", "sha256:abc", "sha512:" + String(repeating: "a", count: 128),
        "sha256:" + String(repeating: "A", count: 64), "sha256:" + String(repeating: "g", count: 64),
        "sha256:" + String(repeating: "a", count: 63), ":" + String(repeating: "a", count: 64),
        "sha256:../../" + String(repeating: "a", count: 58),
    ])
    func refuses(_ text: String) {
        let error = #expect(throws: OCIError.self) { try Digest(parsing: text) }
        #expect(error?.code == .badDigest)
    }

    @Test func roundTrip() throws {
        let text = "sha256:" + String(repeating: "0a", count: 32)
        let digest = try Digest(parsing: text)
        #expect(digest.description == text)
        #expect(digest.short == "0a0a0a0a0a0a")
        let decoded = try JSON.decode([Digest].self, from: JSON.encode([digest]))
        #expect(decoded == [digest])
    }
}
