import Distribution
import Registry
import Synchronization

/// Clients of registries for the time of one request.
final class RegistrySession: Sendable {
    private let settings: RegistrySettings
    private let clients = Mutex<[String: RegistryClient]>([:])

    private init(_ settings: RegistrySettings) { self.settings = settings }

    /// The client of the registry of a domain.
    func client(for domain: String) -> RegistryClient {
        clients.withLock { clients in
            if let known = clients[domain] { return known }
            let made = RegistryClient(domain: domain, settings: settings)
            clients[domain] = made
            return made
        }
    }

    /// Runs work with registries and waits for it; all connections are ended afterwards.
    static func run<Value: Sendable>(
        _ settings: RegistrySettings, _ body: @escaping @Sendable (RegistrySession) async throws -> Value
    ) throws -> Value {
        let session = RegistrySession(settings)
        return try BlockingTask.run {
            let result: Result<Value, any Error>
            do { result = .success(try await body(session)) } catch { result = .failure(error) }
            for client in session.clients.withLock({ Array($0.values) }) { await client.close() }
            return try result.get()
        }
    }
}
