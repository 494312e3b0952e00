import ArgumentParser
import Distribution
import ImageStore
import OCI
import Registry

/// When an image is fetched that a command needs; Docker's words.
enum PullPolicy: String, ExpressibleByArgument, CaseIterable {
    case always, missing, never
}

/// Gives commands the images that they need, from the store or else from a registry.
struct ImageSupply: Sendable {
    let store: ImageStore
    var settings = RegistrySettings()
    var platform: Platform?
    /// Where pulls are shown.
    var output = TransferDisplay.Output.standardError

    /// The image that a user means; fetched where the policy says so.
    func image(_ text: String, _ policy: PullPolicy) throws -> ImageRecord {
        if policy == .always { return try pull(text, or: nil) }
        do {
            let found = try store.leaseImage(matching: text)
            guard policy == .missing, let platform, !ImageSupply.fits(found, platform) else { return found }
            return try pull(text, or: nil)
        } catch let error as StoreError {
            guard error.code == .noSuchImage, policy == .missing else { throw error }
            return try pull(text, or: error)
        }
    }

    /// Whether an image runs on a platform.
    static func fits(_ image: ImageRecord, _ platform: Platform) -> Bool {
        let found = image.configuration.platform
        return found.os == platform.os && found.architecture == platform.architecture
    }

    /// Fetches an image.
    ///
    /// - Parameter missing: what was said when it was not found in the store.
    private func pull(_ text: String, or missing: StoreError?) throws -> ImageRecord {
        guard let reference = try? Reference(parsing: text) else {
            throw missing ?? StoreError(.noSuchImage, "No such image: \(text)")
        }
        if missing != nil, output != .quiet {
            Console.remark("Unable to find image '\(reference.familiar)' locally\n")
        }
        let display = TransferDisplay(output)
        do {
            defer { display.end() }
            return try Transfers.pull(reference, to: store, settings, platform: platform, display).image
        } catch let error as DistributionError {
            guard let missing else { throw error }
            throw DistributionError(
                error.code, "\(missing.message), and it cannot be pulled: \(error.message)", remedy: error.remedy)
        }
    }
}

/// Pulls as commands do it.
enum Transfers {
    /// Pulls one image and shows it.
    static func pull(
        _ reference: Reference, to store: ImageStore, _ settings: RegistrySettings, platform: Platform?,
        _ display: TransferDisplay
    ) throws -> PulledImage {
        var options = PullOptions(platform: platform)
        options.limits = try ImportOptions.fromEnvironment()
        let pulled = try RegistrySession.run(settings) { [options] session in
            let puller = ImagePuller(
                store: store, client: session.client(for: reference.domain), options: options
            ) { display.show($0) }
            return try await puller.pull(reference)
        }
        display.print("Digest: \(pulled.digest)")
        display.print(
            "Status: " + (pulled.wasUpToDate ? "Image is up to date" : "Downloaded newer image")
                + " for \(reference.familiar)")
        return pulled
    }

    /// All tags of a repository.
    static func tags(of reference: Reference, _ settings: RegistrySettings) throws -> [String] {
        try RegistrySession.run(settings) { session in
            try await session.client(for: reference.domain).tags(of: reference.path)
        }
    }
}
