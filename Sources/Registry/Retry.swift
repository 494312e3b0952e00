import FoundationEssentials
import Linux

/// Repeats what failed for a reason that may pass, each time after a longer pause.
struct Retry {
    private let limit: Int
    private let first: Int64
    private(set) var count = 0
    /// The longest pause, in milliseconds.
    private static let longest: Int64 = 30_000

    init(_ settings: RegistrySettings, limit: Int? = nil) {
        self.limit = limit ?? settings.retries
        first = settings.retryDelay
    }

    /// Waits before the next attempt; false when there have been enough, or the task was cancelled.
    ///
    /// - Parameter asked: how long the server asked to wait, in milliseconds.
    mutating func pause(asked: Int64? = nil) async -> Bool {
        if count >= limit { return false }
        let backoff = first << min(count, 16)
        // Some chance in it, so that many clients do not come back at once.
        let wait = min(max(asked ?? 0, backoff + Int64.random(in: 0...max(1, backoff / 4))), Retry.longest)
        count += 1
        do {
            try await Task.sleep(for: .milliseconds(wait))
            return true
        } catch {
            return false
        }
    }

    /// Something went well: the next failure is the first again.
    mutating func reset() { count = 0 }

    /// Runs `body` until it succeeds, fails for good or fails too often; `again` says how long an answer asks to wait,
    /// nil when it is to be taken as it is.
    func run<Value>(
        _ body: () async throws(TransportError) -> Value, again: (Value) -> Int64? = { _ in nil }
    ) async throws(TransportError) -> Value {
        var retry = self
        while true {
            do throws(TransportError) {
                let value = try await body()
                guard let wait = again(value), await retry.pause(asked: wait) else { return value }
            } catch {
                guard error.kind == .lost || error.kind == .connect, await retry.pause() else { throw error }
            }
        }
    }

    /// How long to wait before a request that was answered like that is made again, in milliseconds; nil where a
    /// repetition would change nothing.
    static func delay(of response: HTTPResponse) -> Int64? {
        switch response.status {
        case 408, 429, 500, 502, 503, 504:
            let seconds = response.headers.first(name: "retry-after").flatMap { Int64($0) } ?? 0
            return min(max(seconds, 0), 3600) * 1000
        default: return nil
        }
    }
}

extension RegistryError.Code {
    init(_ kind: TransportError.Kind) {
        switch kind {
        case .connect, .lost: self = .connection
        case .secure: self = .insecure
        case .request: self = .badResponse
        case .setting: self = .badSetting
        }
    }
}

extension RegistryError {
    /// What a registry says in the body of a refusal; distribution-spec, "Error Codes".
    private struct Report: Decodable {
        struct Entry: Decodable {
            var code: String?
            var message: String?
        }
        var errors: [Entry]?
        /// What token servers answer with, after OAuth 2.
        var details: String?
        var message: String?
    }

    /// A refusal, with the registry's own words.
    init(_ response: HTTPResponse, _ body: [UInt8], _ what: String, domain: String) {
        let status = response.status
        let report = (try? JSONDecoder().decode(Report.self, from: Data(body)))
        var words: String?
        if let entry = report?.errors?.first {
            let code = entry.code.map { $0.isEmpty ? "" : " (\($0))" } ?? ""
            words = (entry.message.flatMap { $0.isEmpty ? nil : $0 } ?? "no reason given") + code
        } else if let text = report?.details ?? report?.message, !text.isEmpty {
            words = text
        }
        let said = words.map { "\(RegistryError.oneLine($0))" } ?? "status \(status) \(response.head.reason)"
        let login = "log in with 'strata login\(domain == "docker.io" ? "" : " \(domain)")'"
        switch status {
        case 401: self.init(.unauthorized, "\(what): \(said)", remedy: login)
        case 403: self.init(.denied, "\(what): \(said)", remedy: "check the name, or \(login)")
        case 404: self.init(.notFound, "\(what): \(said)")
        case 429: self.init(.tooManyRequests, "\(what): \(said)", remedy: "wait, or \(login)")
        case 500...: self.init(.serverFault, "\(what): the registry failed: \(said)")
        default: self.init(.refused, "\(what): \(said)")
        }
        retryDelay = Retry.delay(of: response)
    }

    private static func oneLine(_ text: String) -> String {
        // No novel.
        VisibleText.line(String(text.prefix(300)))
    }
}
