import BuildEngine
import Distribution
import FoundationEssentials
import ImageStore
import OCI
import Registry
import Rendering
import Synchronization

/// A cache that a build takes results from or leaves them in: a value of `--cache-from` or `--cache-to`.
struct BuildCache: Hashable {
    /// The kinds, by their names on the command line.
    enum Kind: String, CaseIterable {
        case local, registry, inline
    }

    var kind: Kind
    /// The directory of `local`.
    var directory = ""
    /// The name in a layout, for `local`.
    var tag = "latest"
    /// The manifest in a layout, for `local`.
    var digest: Digest?
    /// The name of `registry`.
    var reference: Reference?
    /// Whether the steps of all stages are left, and not only those of the image.
    var isComplete = false
    /// Whether the directories of `RUN --mount=type=cache` are left too.
    var hasMounts = false
    /// Whether a failure to leave it is only told.
    var ignoresErrors = false

    /// Reads `type=KIND,KEY=VALUE…`, or the name of an image, which is `type=registry,ref=NAME`.
    ///
    /// - Parameter option: the option's name, for messages and for what it may say.
    init(_ text: String, option: String) throws {
        var fields: [String: String] = [:]
        if text.contains("=") {
            for field in text.split(separator: ",") {
                let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                fields[parts[0].lowercased()] = parts.count == 2 ? parts[1] : ""
            }
        } else {
            fields = ["type": "registry", "ref": text]
        }
        let type = fields.removeValue(forKey: "type") ?? ""
        guard let kind = Kind(rawValue: type) else {
            throw CommandError(
                .usage, "there is no cache of the type \"\(type)\" for \(option) \(text)",
                remedy: "one of local, registry, inline")
        }
        self.kind = kind
        let isTarget = option == "--cache-to"
        for (key, value) in fields {
            switch (kind, key) {
            case (.local, "src") where !isTarget: directory = value
            case (.local, "dest") where isTarget: directory = value
            case (.local, "tag"): tag = value
            case (.local, "digest") where !isTarget: digest = try Digest(parsing: value)
            case (.registry, "ref"): reference = try Reference(parsing: value)
            case (_, "mode") where isTarget && ["min", "max"].contains(value): isComplete = value == "max"
            case (.local, "mounts") where isTarget, (.registry, "mounts") where isTarget: hasMounts = value == "true"
            case (_, "ignore-error") where isTarget: ignoresErrors = value == "true"
            // What is said of the form is as it is here anyway, or nothing that a cache depends on.
            case (_, "image-manifest"), (_, "oci-mediatypes"), (_, "compression"), (_, "compression-level"),
                (_, "force-compression"):
                continue
            default: throw CommandError(.usage, "\"\(key)=\(value)\" of \(option) \(text) is not supported")
            }
        }
        if kind == .local, directory.isEmpty {
            throw CommandError(
                .usage, "\(option) \(text) has no \(isTarget ? "dest" : "src")", remedy: "name a directory")
        }
        if kind == .registry, reference == nil {
            throw CommandError(.usage, "\(option) \(text) has no ref", remedy: "name an image")
        }
    }

    /// Where results are taken from; nil where there is nothing to take them from.
    func source(_ store: ImageStore, _ settings: RegistrySettings) -> (any CacheSource)? {
        switch kind {
        case .local: LocalCache(directory: directory, tag: tag, digest: digest)
        case .registry: reference.map { RegistryCache(reference: $0, settings: settings, store: store) }
        case .inline: nil
        }
    }

    /// Leaves the steps of a build.
    func write(
        _ result: BuildResult, of store: ImageStore, with builder: Builder, _ settings: RegistrySettings
    ) throws {
        if kind == .inline { return }
        do {
            defer { try? store.releaseLeases() }
            var (document, layers) = try builder.cacheDocument(
                of: isComplete ? result.steps.all : result.steps.target, time: result.sourceDate)
            if hasMounts { try builder.addCacheMounts(result.steps.cacheMounts, to: &document, &layers) }
            if kind == .local {
                try LocalCache(directory: directory, tag: tag).write(document, layers, of: store)
            } else if let reference {
                try RegistryCache(reference: reference, settings: settings, store: store)
                    .write(document, layers, of: result.imageID)
            }
        } catch {
            if !ignoresErrors { throw error }
            Console.remark(line: "WARNING: the cache could not be exported: \(error)")
        }
    }
}

/// A cache in a registry: a manifest of its own, or an image that says which steps led to its layers.
struct RegistryCache: CacheSource {
    let reference: Reference
    let settings: RegistrySettings
    let store: ImageStore

    var name: String { reference.familiar }

    private func run<Value: Sendable>(_ body: @escaping @Sendable (CacheTransfer) async throws -> Value) throws -> Value
    {
        try RegistrySession.run(settings) { session in
            try await body(
                CacheTransfer(store: store, client: session.client(for: reference.domain), reference: reference))
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
            throw CommandError(.failed, "\(name) is no build cache, and an image without one")
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
