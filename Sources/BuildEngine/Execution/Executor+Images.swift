import ImageStore
import OCI

extension Executor {
    /// An image that the build stands on, leased: from the store, or fetched where it lacks there, is for another
    /// platform, or is to be fetched anyway.
    func supply(_ name: String, platform: String?) throws(BuildError) -> ImageRecord {
        let wanted: Platform?
        do throws(OCIError) {
            wanted = try platform.map { (text) throws(OCIError) in try Platform(parsing: text) }
        } catch {
            throw BuildError(.unsupported, error.message)
        }
        let stored = try stored(name)
        if let stored, !options.fetchesAlways || options.fetch == nil {
            // Of an image for another platform the stage says so, unless there is one for the right platform.
            if options.fetch == nil || wanted.map(stored.fits) != false { return stored }
        }
        guard let fetch = options.fetch else {
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
        try checkpoint()
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
