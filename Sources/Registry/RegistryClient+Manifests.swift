public import FoundationEssentials
public import OCI

/// A document as a registry gave it: its bytes, because digests name them, its type and its digest.
public struct RegistryDocument: Hashable, Sendable {
    /// The bytes.
    public var content: Data
    /// The type, by the document itself or else by the registry.
    public var mediaType: MediaType
    /// The digest of the bytes.
    public var digest: Digest

    /// Puts a document together.
    public init(content: Data, mediaType: MediaType) {
        self.content = content
        self.mediaType = mediaType
        digest = .sha256(of: content)
    }

    /// What a manifest or an index refers to it with.
    public var descriptor: Descriptor {
        Descriptor(mediaType: mediaType, digest: digest, size: Int64(content.count))
    }
}

extension RegistryClient {
    /// The longest manifest that is taken; distribution-spec has registries accept 4 MiB.
    public static let maximumManifestSize = 4 << 20
    /// The longest configuration that is taken.
    public static let maximumConfigurationSize = 16 << 20

    private static let manifestTypes: [MediaType] = [
        .imageManifest, .imageIndex, .dockerManifest, .dockerManifestList,
    ]

    /// What manifests say of themselves, whatever they are.
    private struct Outline: Decodable {
        struct Anything: Decodable {}
        var schemaVersion: Int?
        var mediaType: MediaType?
        var config: Anything?
        var layers: [Anything]?
        var manifests: [Anything]?
    }

    /// Fetches a manifest or an index by tag or digest and verifies it; distribution-spec, "Pulling manifests".
    ///
    /// - Parameter size: how long it must be, where that is known.
    public func manifest(
        of repository: String, _ reference: String, size: Int64? = nil
    ) async throws(RegistryError) -> RegistryDocument {
        let name = "\(domain)/\(repository)" + (reference.contains(":") ? "@" : ":") + reference
        var call = Call(
            .GET, "/v2/\(repository)/manifests/\(reference)", scope: RegistryClient.scope(repository, "pull"),
            what: "cannot get the manifest of \(name)")
        for type in RegistryClient.manifestTypes { call.headers.add(name: "Accept", value: type.rawValue) }
        let answer = try await send(call, accepting: [200])
        let bytes = try await answer.finish(accepting: [200], limit: RegistryClient.maximumManifestSize)
        let type = answer.header("content-type").map { String($0.prefix { $0 != ";" }) }
        var document = RegistryDocument(
            content: Data(bytes), mediaType: MediaType(rawValue: type ?? MediaType.imageManifest.rawValue))
        var expected = try? Digest(parsing: reference)
        if expected == nil, let text = answer.header("docker-content-digest") { expected = try? Digest(parsing: text) }
        if let expected, expected != document.digest {
            throw RegistryError(
                .corrupt,
                "the manifest of \(name) is not what it should be: its digest is \(document.digest), not \(expected)")
        }
        if let size, size != Int64(bytes.count) {
            throw RegistryError(
                .corrupt, "the manifest of \(name) has \(bytes.count) bytes, the index says \(size)")
        }
        document.mediaType = try RegistryClient.checkedType(of: document, name)
        return document
    }

    /// The type of a document, by what it says of itself; both a manifest and an index is neither (image-spec, "security
    /// considerations" of the media types).
    private static func checkedType(of document: RegistryDocument, _ name: String) throws(RegistryError) -> MediaType {
        let outline: Outline
        do throws(OCIError) {
            outline = try JSON.decode(Outline.self, from: document.content)
        } catch {
            throw RegistryError(error, "the manifest of \(name)")
        }
        if outline.schemaVersion == 1 || document.mediaType.rawValue.contains("docker.distribution.manifest.v1+") {
            throw RegistryError(
                .badDocument, "the manifest of \(name) is in Docker's old schema 1, which is not supported",
                remedy: "push the image again with a newer tool")
        }
        let type = outline.mediaType ?? document.mediaType
        let isIndex = outline.manifests != nil
        let isManifest = outline.config != nil || outline.layers != nil
        guard isIndex != isManifest, type.isIndex || type.isManifest, type.isIndex == isIndex else {
            throw RegistryError(
                .badDocument, "the manifest of \(name) cannot be used: it is of the type \(type)",
                remedy: type.isIndex || type.isManifest ? "its content says otherwise" : "it may be no image")
        }
        return type
    }

    /// Stores a manifest under a tag or its digest; distribution-spec, "Pushing Manifests".
    public func putManifest(
        _ document: RegistryDocument, in repository: String, as reference: String
    ) async throws(RegistryError) {
        var call = Call(
            .PUT, "/v2/\(repository)/manifests/\(reference)", scope: RegistryClient.scope(repository, "pull,push"),
            what: "cannot push the manifest of \(domain)/\(repository):\(reference)")
        call.headers.add(name: "Content-Type", value: document.mediaType.rawValue)
        call.body = Array(document.content)
        let answer = try await send(call, accepting: [201])
        try await answer.finish(accepting: [200, 201, 202])
        guard let text = answer.header("docker-content-digest"), let digest = try? Digest(parsing: text) else { return }
        if digest != document.digest {
            throw RegistryError(
                .corrupt, "\(domain) has stored the manifest under another digest: \(digest), not \(document.digest)")
        }
    }

    /// All tags of a repository, in the registry's order; distribution-spec, "Listing Tags".
    public func tags(of repository: String) async throws(RegistryError) -> [String] {
        struct Page: Decodable { var tags: [String]? }
        var found: [String] = []
        var path: String? = "/v2/\(repository)/tags/list"
        while let next = path {
            let call = Call(
                .GET, next, scope: RegistryClient.scope(repository, "pull"),
                what: "cannot list the tags of \(domain)/\(repository)")
            let answer = try await send(call, accepting: [200])
            let bytes = try await answer.finish(accepting: [200], limit: 8 << 20)
            do throws(OCIError) {
                found += try JSON.decode(Page.self, from: Data(bytes)).tags ?? []
            } catch {
                throw RegistryError(error, "the list of tags of \(domain)/\(repository)")
            }
            path = try await nextPage(answer)
            if found.count > 1_000_000 {
                throw RegistryError(.badResponse, "\(domain)/\(repository) has more than a million tags")
            }
        }
        return found
    }

    /// Where a list goes on: `Link: <…>; rel="next"` (RFC 8288).
    private func nextPage(_ answer: Answer) async throws(RegistryError) -> String? {
        guard let link = answer.header("link"), link.contains("next"), let start = link.firstIndex(of: "<"),
            let end = link.firstIndex(of: ">"), start < end
        else { return nil }
        let base = try await baseAddress()
        let target = Transport.resolve(String(link[link.index(after: start)..<end]), against: base + "/v2/")
        guard let target, target.hasPrefix(base + "/") else { return nil }
        return target
    }
}
