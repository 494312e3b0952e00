import ImageStore
import OCI
import Synchronization

/// The images that a build stands on and copies from, each found once.
final class BaseImages: Sendable {
    private let store: ImageStore
    private let fetch: BuildOptions.ImageFetch?
    private let fetchesAlways: Bool
    private let reporter: ProgressReporter
    private let stop: StopCheck
    /// Those that were found, by reference.
    private let known = Mutex<[String: ImageRecord]>([:])

    init(_ options: BuildOptions, store: ImageStore, reporter: ProgressReporter, stop: StopCheck) {
        self.store = store
        fetch = options.fetch
        fetchesAlways = options.fetchesAlways
        self.reporter = reporter
        self.stop = stop
    }

    /// An image, leased: from the store, or fetched where it lacks there, is for another platform, or is to be fetched
    /// anyway.
    func image(_ name: String, platform: String?) throws(BuildError) -> ImageRecord {
        if let image = known.withLock({ $0[name] }) { return image }
        let image = try supply(name, platform)
        known.withLock { $0[name] = image }
        return image
    }

    private func supply(_ name: String, _ platform: String?) throws(BuildError) -> ImageRecord {
        let wanted = try platform.map { (text) throws(BuildError) in try Platform(wanted: text) }
        let stored = try stored(name)
        if let stored, !fetchesAlways || fetch == nil {
            // Of an image for another platform the stage says so, unless there is one for the right platform.
            if fetch == nil || wanted.map(stored.fits) != false { return stored }
        }
        guard let fetch else {
            throw BuildError(.noSuchImage, "\(name): no such image", remedy: "pull or import it")
        }
        return try fetched(name, wanted, fetch)
    }

    private func stored(_ name: String) throws(BuildError) -> ImageRecord? {
        do throws(StoreError) {
            return try store.leaseImage(matching: name)
        } catch {
            if error.code == .noSuchImage { return nil }
            throw BuildError(error)
        }
    }

    private func fetched(
        _ name: String, _ platform: Platform?, _ fetch: BuildOptions.ImageFetch
    ) throws(BuildError) -> ImageRecord {
        try stop.check()
        let step = reporter.start("[internal] pull \(name)")
        do {
            let image = try fetch(store, name, platform) { [reporter] in reporter.note(step, $0) }
            reporter.finish(step)
            return image
        } catch {
            let failure =
                (error as? BuildError)
                ?? BuildError(.noSuchImage, "\(name): no such image, and it cannot be pulled: \(error)")
            reporter.fail(step, failure)
            throw failure
        }
    }
}

extension Platform {
    /// Reads the platform that an instruction or an option asks for.
    init(wanted text: String) throws(BuildError) {
        do throws(OCIError) { self = try Platform(parsing: text) } catch {
            throw BuildError(.unsupported, error.message)
        }
    }
}
