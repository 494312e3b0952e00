package import Distribution
import ImageStore
package import OCI
import Registry

/// When an image is fetched that a request needs; Docker's words.
package enum PullPolicy: String, CaseIterable, Sendable {
    case always, missing, never
}

/// What is pulled.
package struct PullRequest: Sendable {
    /// The name as the user gives it; without a tag it means `latest`.
    package var name: String
    /// Whether all tags of the repository are meant; then the name has none.
    package var allTags = false
    /// What the image is to run on; nil for this machine.
    package var platform: Platform?
    package var access = RegistryAccess()

    /// One tag for this machine.
    package init(name: String) { self.name = name }
}

/// What is pushed.
package struct PushRequest: Sendable {
    /// The name as the user gives it; without a tag it means `latest`.
    package var name: String
    /// Whether all tags of the repository are meant; then the name has none.
    package var allTags = false
    package var access = RegistryAccess()

    /// One tag.
    package init(name: String) { self.name = name }
}

extension Engine {
    /// The settings for talking to registries.
    func settings(_ access: RegistryAccess) -> RegistrySettings { registries.settings(access) }

    // MARK: Pulling

    /// Fetches an image, or all of a repository, and returns them in order.
    @discardableResult
    package func pull(_ request: PullRequest, _ progress: @escaping ProgressHandler) throws -> [PulledImage] {
        let engine = session()
        defer { try? engine.store.releaseLeases() }
        return try engine.references(of: request, progress).map { reference in
            try engine.pull(reference, request.platform, request.access, progress)
        }
    }

    /// What a request means, a name for each tag.
    private func references(of request: PullRequest, _ progress: ProgressHandler) throws -> [Reference] {
        let untagged = try Reference(parsing: request.name, defaultTag: nil)
        guard request.allTags else {
            if untagged.tag == nil, untagged.digest == nil { progress(.usesTag(Reference.defaultTag)) }
            return [try Reference(parsing: request.name)]
        }
        if untagged.tag != nil || untagged.digest != nil {
            throw EngineError(.badRequest, "a tag cannot be given with --all-tags")
        }
        let tags = try RegistrySession.run(settings(request.access)) { session in
            try await session.client(for: untagged.domain).tags(of: untagged.path)
        }
        return try tags.map { try untagged.with(tag: $0) }
    }

    /// Fetches one image; its layers are leased to this engine's handle of the store.
    func pull(
        _ reference: Reference, _ platform: Platform?, _ access: RegistryAccess, kind: ImportOptions.Kind? = nil,
        _ progress: @escaping ProgressHandler
    ) throws -> PulledImage {
        var options = PullOptions(platform: platform)
        options.limits = try limits()
        if let kind { options.limits.kind = kind }
        let pulled = try RegistrySession.run(settings(access)) { [options, store] session in
            let puller = ImagePuller(
                store: store, client: session.client(for: reference.domain), options: options
            ) { progress(.transfer($0)) }
            return try await puller.pull(reference)
        }
        report(.image("pull", pulled.image.id, name: reference))
        progress(.pulled(pulled, reference))
        return pulled
    }

    /// The image that a user means, from the store or, where the policy says so, from a registry; leased to this engine's
    /// handle of the store.
    ///
    /// - Parameter platform: what it is to run on; nil for whatever the store has.
    func image(
        _ text: String, _ policy: PullPolicy, platform: Platform? = nil, _ access: RegistryAccess,
        _ progress: @escaping ProgressHandler
    ) throws -> ImageRecord {
        if policy == .always { return try fetch(text, platform, access, progress, missing: nil) }
        do {
            let found = try store.leaseImage(matching: text)
            guard policy == .missing, let platform, !found.fits(platform) else { return found }
            return try fetch(text, platform, access, progress, missing: nil)
        } catch let error as StoreError {
            guard error.code == .noSuchImage, policy == .missing else { throw error }
            return try fetch(text, platform, access, progress, missing: error)
        }
    }

    /// - Parameter missing: what was said when the image was not found in the store.
    private func fetch(
        _ text: String, _ platform: Platform?, _ access: RegistryAccess, _ progress: @escaping ProgressHandler,
        missing: StoreError?
    ) throws -> ImageRecord {
        guard let reference = try? Reference(parsing: text) else {
            throw missing ?? StoreError(.noSuchImage, "No such image: \(text)")
        }
        if missing != nil { progress(.missing(reference)) }
        do {
            return try pull(reference, platform, access, progress).image
        } catch let error as DistributionError {
            guard let missing else { throw error }
            throw DistributionError(
                error.code, "\(missing.message), and it cannot be pulled: \(error.message)", remedy: error.remedy)
        }
    }

    // MARK: Pushing

    /// Sends an image, or all of a repository, to a registry, and returns what was sent in order.
    @discardableResult
    package func push(_ request: PushRequest, _ progress: @escaping ProgressHandler) throws -> [PushedImage] {
        let untagged = try Reference(parsing: request.name, defaultTag: nil)
        try untagged.requireNoDigest(to: "push \(request.name)")
        let engine = session()
        defer { try? engine.store.releaseLeases() }
        return try engine.send(request, untagged, progress)
    }

    private func send(
        _ request: PushRequest, _ untagged: Reference, _ progress: @escaping ProgressHandler
    ) throws -> [PushedImage] {
        guard request.allTags else {
            if untagged.tag == nil { progress(.usesTag(Reference.defaultTag)) }
            let reference = try Reference(parsing: request.name)
            return [try push(try image(named: reference), as: reference, request.access, progress)]
        }
        if untagged.tag != nil { throw EngineError(.badRequest, "a tag cannot be given with --all-tags") }
        let references = try store.images().flatMap(\.references).filter { $0.name == untagged.name }
        if references.isEmpty {
            throw EngineError(.notFound, "An image does not exist locally with the tag: \(untagged.familiarName)")
        }
        return try references.map { try push(try image(named: $0), as: $0, request.access, progress) }
    }

    /// Sends one image under one name.
    func push(
        _ image: ImageRecord, as reference: Reference, _ access: RegistryAccess, _ progress: @escaping ProgressHandler
    ) throws -> PushedImage {
        let pushed = try RegistrySession.run(settings(access)) { [store] session in
            let pusher = ImagePusher(
                store: store, client: session.client(for: reference.domain),
                others: { session.client(for: $0) }, report: { progress(.transfer($0)) })
            return try await pusher.push(image, as: reference)
        }
        report(.image("push", image.id, name: reference))
        progress(.pushed(pushed, reference))
        return pushed
    }

    private func image(named reference: Reference) throws -> ImageRecord {
        do throws(StoreError) {
            return try store.leaseImage(matching: reference.description)
        } catch {
            guard error.code == .noSuchImage else { throw error }
            throw EngineError(
                .notFound, "An image does not exist locally with the tag: \(reference.familiar)",
                remedy: "name it with 'strata tag'")
        }
    }
}
