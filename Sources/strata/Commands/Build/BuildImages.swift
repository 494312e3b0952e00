import BuildEngine
import Distribution
import ImageStore
import OCI
import Registry
import Synchronization

/// Fetches the images that a build stands on.
struct BuildImages: Sendable {
    let settings: RegistrySettings

    /// Gets an image into the store; each layer that came is told.
    var fetch: BuildOptions.ImageFetch {
        { store, name, platform, tell in
            let reference: Reference
            var limits: ImportOptions
            do {
                reference = try Reference(parsing: name)
                limits = try ImportOptions.fromEnvironment()
            } catch {
                throw BuildError(.noSuchImage, "\(name): \(error)")
            }
            limits.kind = .layer
            var options = PullOptions(platform: platform)
            options.limits = limits
            let lines = Mutex(TransferLines(columns: 80, rows: 24, isLive: false))
            do {
                return try RegistrySession.run(settings) { [options] session in
                    let puller = ImagePuller(
                        store: store, client: session.client(for: reference.domain), options: options
                    ) { event in
                        let text = lines.withLock { $0.take(event, at: 0) }
                        if !text.isEmpty { tell(String(text.dropLast())) }
                    }
                    return try await puller.pull(reference)
                }.image
            } catch let error as DistributionError {
                throw BuildError(
                    .noSuchImage, "\(name): no such image, and it cannot be pulled: \(error.message)",
                    remedy: error.remedy)
            }
        }
    }
}
