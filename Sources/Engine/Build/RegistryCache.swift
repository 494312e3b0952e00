import BuildEngine
import Distribution
import FoundationEssentials
import ImageStore
import OCI
import Registry

/// A cache in a registry: a manifest of its own, or an image that says which steps led to its layers.
struct RegistryCache: CacheSource {
    private let reference: Reference
    private let settings: RegistrySettings
    private let store: ImageStore
    private let limits: ImportOptions

    init(_ reference: Reference, of engine: Engine, _ access: RegistryAccess) throws {
        self.reference = reference
        settings = engine.settings(access)
        store = engine.store
        limits = try engine.limits()
    }

    var name: String { reference.familiar }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (CacheTransfer) async throws -> Value
    ) throws -> Value {
        try RegistrySession.run(settings) { session in
            try await body(
                CacheTransfer(
                    store: store, client: session.client(for: reference.domain), reference: reference, limits: limits))
        }
    }

    func load() throws -> CacheDocument {
        let content = try run {
            try await $0.load(type: CacheDocument.mediaType, limit: CacheDocument.maximumSize)
        }
        if content.mediaType == CacheDocument.mediaType { return try CacheDocument(reading: content.configuration) }
        let image = try JSON.decode(ImageConfiguration.self, from: content.configuration)
        guard case .string(let text)? = image.other[CacheDocument.inlineMember],
            let bytes = Data(base64Encoded: text)
        else {
            throw EngineError(.failed, "\(name) is no build cache, and an image without one")
        }
        var document = try CacheDocument(reading: bytes)
        // The image's manifest says in which form the registry has its layers.
        let forms = Dictionary(zip(image.rootFS.diffIDs, content.layers)) { first, _ in first }
        for index in document.layers.indices {
            guard let diffID = document.layers[index].annotations?.diffID, let form = forms[diffID] else { continue }
            document.layers[index].take(form)
        }
        return document
    }

    func fetch(_ layer: CacheDocument.Layer, diffID: Digest, into store: ImageStore) throws -> LayerRecord {
        try run { try await $0.fetch(layer.descriptor, diffID: diffID) }
    }

    func write(_ document: CacheDocument, _ layers: [LayerRecord], of image: Digest) throws {
        try run { transfer in
            try await transfer.push(layers, of: image, type: CacheDocument.mediaType) {
                (forms) throws(DistributionError) in
                var document = document
                for (index, form) in forms.enumerated() { document.layers[index].take(form) }
                do throws(OCIError) {
                    return try document.encoded()
                } catch {
                    throw DistributionError(.badImage, error.message)
                }
            }
        }
    }
}
