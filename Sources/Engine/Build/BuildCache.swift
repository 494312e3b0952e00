import BuildEngine
import ImageStore
import Linux
package import OCI

/// A cache that a build takes results from or leaves them in: a value of `--cache-from` or `--cache-to`.
package struct BuildCache: Hashable, Sendable {
    /// The kinds, by their names on the command line.
    package enum Kind: String, CaseIterable, Sendable {
        case local, registry, inline
    }

    package var kind: Kind
    /// The directory of `local`.
    package var directory = ""
    /// The name in a layout, for `local`.
    package var tag = "latest"
    /// The manifest in a layout, for `local`.
    package var digest: Digest?
    /// The name of `registry`.
    package var reference: Reference?
    /// Whether the steps of all stages are left, and not only those of the image.
    package var isComplete = false
    /// Whether the directories of `RUN --mount=type=cache` are left too.
    package var hasMounts = false
    /// Whether a failure to leave it is only told.
    package var ignoresErrors = false

    /// Reads `type=KIND,KEY=VALUE…`, or the name of an image, which is `type=registry,ref=NAME`.
    ///
    /// - Parameter option: the option's name, for messages and for what it may say.
    package init(_ text: String, option: String) throws {
        var fields: [String: String] = [:]
        if text.contains("=") {
            for field in text.split(separator: ",") {
                let parts = field.parts(at: "=")
                fields[parts[0].lowercased()] = parts.count == 2 ? parts[1] : ""
            }
        } else {
            fields = ["type": "registry", "ref": text]
        }
        let type = fields.removeValue(forKey: "type") ?? ""
        guard let kind = Kind(rawValue: type) else {
            throw EngineError(
                .badRequest, "there is no cache of the type \"\(type)\" for \(option) \(text)",
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
            default: throw EngineError(.badRequest, "\"\(key)=\(value)\" of \(option) \(text) is not supported")
            }
        }
        if kind == .local, directory.isEmpty {
            throw EngineError(
                .badRequest, "\(option) \(text) has no \(isTarget ? "dest" : "src")", remedy: "name a directory")
        }
        if kind == .registry, reference == nil {
            throw EngineError(.badRequest, "\(option) \(text) has no ref", remedy: "name an image")
        }
    }

    /// Where results are taken from; nil where there is nothing to take them from.
    func source(of engine: Engine, _ access: RegistryAccess) throws -> (any CacheSource)? {
        switch kind {
        case .local:
            LocalCache(directory: directory, tag: tag, digest: digest, limits: try engine.limits())
        case .registry: try reference.map { try RegistryCache($0, of: engine, access) }
        case .inline: nil
        }
    }

    /// Leaves the steps of a build; a failure that is only to be reported is.
    func write(
        _ result: BuildResult, of engine: Engine, _ access: RegistryAccess, _ progress: Engine.ProgressHandler
    ) throws {
        if kind == .inline { return }
        do {
            let builder = engine.builder
            var (document, layers) = try builder.cacheDocument(
                of: isComplete ? result.steps.all : result.steps.target, time: result.sourceDate)
            if hasMounts { try builder.addCacheMounts(result.steps.cacheMounts, to: &document, &layers) }
            if kind == .local {
                try LocalCache(directory: directory, tag: tag).write(document, layers, of: engine.store)
            } else if let reference {
                try RegistryCache(reference, of: engine, access).write(document, layers, of: result.imageID)
            }
        } catch {
            if !ignoresErrors { throw error }
            progress(.warning("the cache could not be exported: \(error)"))
        }
    }
}
