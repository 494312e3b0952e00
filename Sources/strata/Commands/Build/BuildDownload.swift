import BuildEngine
import Distribution
import Registry
import Synchronization

/// Fetches the files of the web that a build asks for.
enum BuildDownload {
    /// What the builder calls.
    static let fetch: FileDownload = { address, sink in
        guard let download = HTTPDownload(address) else {
            throw BuildError(.remote, "\(address) is no address of the web")
        }
        var settings = RegistrySettings(credentials: nil)
        settings.userAgent = RegistryOptions.userAgent
        let time = Mutex<String?>(nil)
        do {
            try BlockingTask.run { [settings] in
                try await download.run(settings, lastModified: { text in time.withLock { $0 = text } }, to: sink)
            }
        } catch let error as RegistryError {
            throw BuildError(.remote, error.message)
        }
        return RemoteFile(lastModified: time.withLock { $0 })
    }
}
