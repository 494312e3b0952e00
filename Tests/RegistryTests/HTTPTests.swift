import Linux
import Synchronization
import TestSupport
import Testing

@testable import Registry

/// What comes from the network is hostile: it is bounded, it cannot keep us waiting, and it says nothing in our name.
@Suite struct HTTPTests {
    /// Runs `body` with a transport, which ends with it.
    private static func with<Value: Sendable>(
        _ settings: RegistrySettings = RegistryStore.settings, _ body: (Transport) async throws -> Value
    ) async throws -> Value {
        let transport = Transport(settings)
        let result: Result<Value, any Error>
        do { result = .success(try await body(transport)) } catch { result = .failure(error) }
        await transport.shutDown()
        return try result.get()
    }

    private static func fetch(
        _ server: RawServer, _ settings: RegistrySettings = RegistryStore.settings, limit: Int = 1 << 20
    ) async throws -> [UInt8] {
        try await with(settings) { transport in
            let reply = try await transport.send(HTTPRequest(url: "http://\(server.domain)/x"))
            return try await reply.response.body.bytes(limit: limit)
        }
    }

    private static func failure(
        _ server: RawServer, _ settings: RegistrySettings = RegistryStore.settings, limit: Int = 1 << 20,
        location: SourceLocation = #_sourceLocation
    ) async throws -> TransportError {
        try #require(
            await #expect(throws: TransportError.self, sourceLocation: location) {
                try await fetch(server, settings, limit: limit)
            }, sourceLocation: location)
    }

    private static let long = String(repeating: "x", count: 65_536)

    @Test(arguments: ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"])
    func aHeaderWithoutEnd(start: String) async throws {
        let part = start.hasSuffix("\r\n\r\n") ? start : "X-Filler: \(String(repeating: "y", count: 900))\r\n"
        let error = try await Self.failure(try RawServer(.endless, start, part: part))
        #expect(error.kind == .request && error.text.contains("header is longer"), "\(error)")
    }

    @Test func aLineWithoutEnd() async throws {
        let error = try await Self.failure(try RawServer(.endless, "HTTP/1.1 200 OK\r\nX: ", part: Self.long))
        #expect(error.kind != .connect && error.kind != .secure, "\(error)")
    }

    @Test func aTrailerWithoutEnd() async throws {
        let server = try RawServer(
            .endless, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
            part: "X-Filler: \(String(repeating: "y", count: 900))\r\n")
        let error = try await Self.failure(server)
        #expect(error.text.contains("header is longer"), "\(error)")
    }

    @Test func aBodyWithoutEnd() async throws {
        let server = try RawServer(.endless, "HTTP/1.1 200 OK\r\n\r\n", part: Self.long)
        let error = try await Self.failure(server, limit: 1 << 20)
        #expect(error.kind == .request && error.text.contains("longer than 1048576 bytes"), "\(error)")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n", "",
    ])
    func anAnswerThatBreaksOff(text: String) async throws {
        let error = try await Self.failure(try RawServer(.close, text))
        #expect(error.kind == .lost, "\(error)")
    }

    @Test(arguments: [
        "no HTTP at all\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func answersThatMakeNoSense(text: String) async throws {
        let error = try await Self.failure(try RawServer(.close, text))
        #expect(!error.text.contains("\n") && !error.text.isEmpty, "\(error)")
    }

    @Test func headersAreReadAsTheyAreWritten() async throws {
        let server = try RawServer(
            .answer,
            "HTTP/1.1 200 Fine\r\nX-One:  a b \t\r\nx-one: c\r\nEmpty:\r\n:none\r\nContent-Length: 2\r\n\r\nok"
        )
        try await Self.with { transport in
            let response = try await transport.send(HTTPRequest(url: "http://\(server.domain)/")).response
            #expect(response.status == 200 && response.head.reason == "OK")
            #expect(
                response.headers["X-ONE"] == ["a b", "c"] && response.headers.first(name: "empty")?.isEmpty == true)
            #expect(try await response.body.bytes(limit: 10) == Array("ok".utf8))
            #expect(try await response.body.next() == nil)
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        let server = try RawServer(.answer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        try await Self.with { transport in
            for number in 0..<5 {
                let reply = try await transport.send(HTTPRequest(url: "http://\(server.domain)/\(number)"))
                #expect(try await reply.response.body.bytes(limit: 10).count == 2)
            }
        }
        let lines = try server.lines()
        #expect(lines.count { $0 == "connection" } == 1 && lines.count { $0.hasPrefix("request") } == 5, "\(lines)")
    }

    @Test func whoReadsSlowlyHoldsTheServerBack() async throws {
        let server = try RawServer(.endless, "HTTP/1.1 200 OK\r\n\r\n", part: Self.long)
        try await Self.with { transport in
            let body = try await transport.send(HTTPRequest(url: "http://\(server.domain)/")).response.body
            var taken = try await body.next()?.count ?? 0
            // Until nothing more goes out: our buffers, and the sockets'.
            var last = -1
            while try server.sentByteCount() != last {
                last = try server.sentByteCount()
                MonotonicClock.sleep(milliseconds: 300)
            }
            #expect(last < 24 << 20, "\(last) bytes were taken before anybody read them")
            // And it goes on.
            while taken < last + (64 << 20), let piece = try await body.next() { taken += piece.count }
            #expect(taken >= last + (64 << 20))
        }
    }

    @Test func aSilentServerIsGivenUp() async throws {
        var settings = RegistryStore.settings
        settings.idleTimeout = 700
        let start = MonotonicClock.milliseconds
        for server in [
            try RawServer(.silent), try RawServer(.answer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        ] {
            let error = try await Self.failure(server, settings)
            #expect(error.kind == .lost && error.text.contains("silent"), "\(error)")
        }
        #expect(MonotonicClock.milliseconds - start < 10_000)
    }

    @Test func aSlowReaderIsNoSilentServer() async throws {
        var settings = RegistryStore.settings
        settings.idleTimeout = 700
        let server = try RawServer(.endless, "HTTP/1.1 200 OK\r\n\r\n", part: Self.long)
        try await Self.with(settings) { transport in
            let body = try await transport.send(HTTPRequest(url: "http://\(server.domain)/")).response.body
            _ = try await body.next()
            MonotonicClock.sleep(milliseconds: 2500)
            var taken = 0
            while taken < 32 << 20, let piece = try await body.next() { taken += piece.count }
            #expect(taken >= 32 << 20)
        }
    }

    @Test func connectingEndsInTime() async throws {
        var settings = RegistryStore.settings
        settings.connectTimeout = 600
        settings.verifiesServer = false
        let server = try RawServer(.silent)
        let start = MonotonicClock.milliseconds
        let error = await #expect(throws: TransportError.self) {
            // TLS is part of connecting, and it never answers.
            try await Self.with(settings) { _ = try await $0.send(HTTPRequest(url: "https://\(server.domain)/")) }
        }
        #expect(error?.kind == .connect && error?.text.contains("in time") == true, "\(String(describing: error))")
        #expect(MonotonicClock.milliseconds - start < 5000)
    }

    @Test(arguments: [RawServer.Manner.silent, .endless])
    func cancellationEndsItAtOnce(manner: RawServer.Manner) async throws {
        let server = try RawServer(manner, "HTTP/1.1 200 OK\r\n\r\n", part: "x")
        let elapsed = try await Self.with { transport in
            let task = Task {
                let reply = try await transport.send(HTTPRequest(url: "http://\(server.domain)/"))
                return try await reply.response.body.bytes(limit: Int.max)
            }
            #expect(waitUntil { (try? server.lines().contains("connection")) == true })
            MonotonicClock.sleep(milliseconds: 200)
            let start = MonotonicClock.milliseconds
            task.cancel()
            let error = await #expect(throws: TransportError.self) { try await task.value }
            #expect(error?.text == "cancelled")
            return MonotonicClock.milliseconds - start
        }
        #expect(elapsed < 1000)
        #expect(waitUntil { (try? server.lines().contains { $0.hasPrefix("closed") }) == true })
    }

    @Test func aBodyThatNobodyReadsIsEnded() async throws {
        let server = try RawServer(.endless, "HTTP/1.1 200 OK\r\n\r\n", part: Self.long)
        try await Self.with { transport in
            _ = try await transport.send(HTTPRequest(url: "http://\(server.domain)/"))
            #expect(waitUntil { (try? server.lines().contains { $0.hasPrefix("closed") }) == true })
        }
    }

    @Test func theEndOfTheTransportEndsItsTransfers() async throws {
        let server = try RawServer(.silent)
        let transport = Transport(RegistryStore.settings)
        let task = Task { try await transport.send(HTTPRequest(url: "http://\(server.domain)/")) }
        #expect(waitUntil { (try? server.lines().contains("connection")) == true })
        await transport.shutDown()
        await #expect(throws: TransportError.self) { try await task.value }
        await #expect(throws: TransportError.self) {
            try await transport.send(HTTPRequest(url: "http://\(server.domain)/"))
        }
    }

    @Test func whoSendsWaitsForASlowServer() async throws {
        let server = try RawServer(.deaf)
        let channel = PieceChannel()
        let given = Mutex(0)
        PrivateThread.detach {
            let piece = [UInt8](repeating: 7, count: 1 << 16)
            while (try? piece.withUnsafeBytes { try channel.put($0) }) != nil { given.withLock { $0 += piece.count } }
            given.withLock { $0 = -$0 }
        }
        try await Self.with { transport in
            let task = Task {
                var request = HTTPRequest(url: "http://\(server.domain)/")
                (request.method, request.body) = (.PATCH, .stream(channel, length: nil))
                return try await transport.send(request)
            }
            #expect(waitUntil { (try? server.lines().contains { $0.hasPrefix("request PATCH") }) == true })
            var last = -1
            while given.withLock({ $0 }) != last {
                last = given.withLock { $0 }
                MonotonicClock.sleep(milliseconds: 300)
            }
            #expect(last > 0 && last < 24 << 20, "\(last) bytes were made that nobody takes")
            task.cancel()
            await #expect(throws: TransportError.self) { try await task.value }
            channel.abandon()
        }
        // The thread that makes them hears of it.
        #expect(waitUntil { given.withLock { $0 } < 0 })
        #expect(try server.lines().contains("header Transfer-Encoding: chunked"))
    }

    @Test(arguments: [Int64?.none, 12])
    func piecesAreSentAsTheyCome(length: Int64?) async throws {
        let registry = try FakeRegistry()
        try registry.answer([.init(method: "PATCH", path: "/x", status: 202)])
        let channel = PieceChannel()
        PrivateThread.detach {
            for text in ["abcd", "efgh", "ijkl"] {
                MonotonicClock.sleep(milliseconds: 100)
                var text = text
                _ = text.withUTF8 { try? channel.put(UnsafeRawBufferPointer($0)) }
            }
            channel.end()
        }
        try await Self.with { transport in
            var request = HTTPRequest(url: "http://\(registry.domain)/x")
            (request.method, request.body) = (.PATCH, .stream(channel, length: length))
            let response = try await transport.send(request).response
            #expect(response.status == 202)
        }
        #expect(try registry.bodies() == ["abcdefghijkl"])
    }

    @Test func lessThanAnnouncedIsAnError() async throws {
        let channel = PieceChannel()
        try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try channel.put($0) }
        channel.end()
        let server = try RawServer(.deaf)
        let error = await #expect(throws: TransportError.self) {
            try await Self.with { transport in
                var request = HTTPRequest(url: "http://\(server.domain)/x")
                (request.method, request.body) = (.PUT, .stream(channel, length: 11))
                _ = try await transport.send(request)
            }
        }
        #expect(error?.text.contains("less to send") == true, "\(String(describing: error))")
    }

    @Test func manyRequestsAtOnce() async throws {
        let registry = try FakeRegistry()
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let digest = try registry.blob(content)
        try await Self.with { transport in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<32 {
                    group.addTask {
                        let url = "http://\(registry.domain)/v2/x/blobs/\(digest)"
                        let response = try await transport.send(HTTPRequest(url: url)).response
                        return try await response.body.bytes(limit: 1 << 20) == content
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }
}
