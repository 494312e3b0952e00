import AsyncHTTPClient
public import Linux
import NIOCore
import NIOHTTP1

/// Fetches what is at an address while somebody reads it.
public enum HTTPDownload {
    /// Begins to fetch an `http` or `https` address and returns the end of a pipe that its content comes out of.
    ///
    /// Throws when there is no such thing. When the connection is lost later, the content just ends: readers must know by
    /// themselves whether it is complete, which archives do.
    public static func open(
        _ address: String, settings: RegistrySettings = RegistrySettings()
    ) async throws(RegistryError) -> Linux.FileDescriptor {
        let transport = Transport(settings, verifiesServer: settings.verifiesServer, trusted: [])
        let what = "cannot fetch \(address)"
        let response: HTTPClientResponse
        do throws(TransportError) {
            response = try await Retry(settings).run { () async throws(TransportError) in
                try await transport.send(HTTPClientRequest(url: address))
            } again: {
                Retry.delay(of: $0)
            }
        } catch {
            await transport.shutDown()
            throw RegistryError(.init(error.kind), "\(what): \(error.text)")
        }
        guard response.status.code == 200 else {
            await Transport.discard(response)
            await transport.shutDown()
            throw RegistryError(
                response.status.code == 404 ? .notFound : .refused,
                "\(what): status \(response.status.code) \(response.status.reasonPhrase)")
        }
        let ends: (read: Int32, write: Int32)
        do throws(Errno) {
            ends = try Linux.FileDescriptor.pipe().release()
        } catch {
            await transport.shutDown()
            throw RegistryError(.connection, "\(what): \(error)")
        }
        Task(executorPreference: TransferExecutor.shared) {
            let sink = Linux.FileDescriptor(owning: ends.write)
            do {
                for try await piece in response.body {
                    try piece.readableBytesView.withUnsafeBytes { try sink.writeAll($0) }
                }
            } catch {
                // The reader has gone, or will notice.
            }
            try? sink.close()
            await transport.shutDown()
        }
        return Linux.FileDescriptor(owning: ends.read)
    }
}
