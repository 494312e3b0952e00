import CCurl
import Linux

/// A transfer as libcurl has it. Lives on the thread of the loop.
final class CurlHandle {
    let transfer: HTTPTransfer
    private let raw: OpaquePointer
    /// Why one of the callbacks has ended the transfer.
    private(set) var failure: TransportError?

    /// The beginning of the answer, as far as it came.
    private var head: HTTPHead?
    private var isHeadComplete = false
    private var headerByteCount = 0
    /// How much of the request's body is sent.
    private var sent = 0
    /// Whether one of the callbacks has paused: then it is we who keep the other side waiting.
    private var isPaused = false
    private var progress: Int64 = 0
    private var lastProgress = MonotonicClock.milliseconds

    /// Header and trailer of an answer, all attempts of the server to begin one included, may have this many bytes.
    private static let maximumHeaderSize = 256 << 10

    /// Nil where there is no memory for it.
    init?(_ transfer: HTTPTransfer) {
        self.transfer = transfer
        guard let raw = withUnsafePointer(to: CurlHandle.callbacks, { ccurl_transfer_new($0) }) else { return nil }
        self.raw = raw
        ccurl_set_context(raw, Unmanaged.passUnretained(self).toOpaque())
        setUp()
    }

    deinit { ccurl_transfer_free(raw) }

    private func setUp() {
        let (request, connection) = (transfer.request, transfer.connection)
        ccurl_request(raw, request.method.rawValue, request.url, connection.allowsHTTP2 ? 1 : 0)
        for field in request.headers.fields {
            ccurl_add_header(raw, field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        // What the library would say of its own accord.
        for name in ["Accept", "Expect"] where !request.headers.contains(name: name) {
            ccurl_add_header(raw, "\(name):")
        }
        switch request.body {
        case .none: if request.method.expectsBody { ccurl_upload(raw, 0) }
        case .bytes(let bytes): ccurl_upload(raw, Int64(bytes.count))
        case .stream(_, let length): ccurl_upload(raw, length ?? -1)
        }
        ccurl_connect_timeout(raw, max(1, connection.connectTimeout))
        let proxy = connection.proxy
        ccurl_proxy(raw, proxy?.address ?? "", proxy?.credentials?.user, proxy?.credentials?.password)
        switch connection.roots {
        case .none: ccurl_trust(raw, connection.verifiesServer ? 1 : 0, nil, nil, 0)
        case .file(let path): ccurl_trust(raw, connection.verifiesServer ? 1 : 0, path, nil, 0)
        case .certificates(let text):
            text.withUnsafeBytes {
                ccurl_trust(raw, connection.verifiesServer ? 1 : 0, nil, $0.baseAddress, $0.count)
            }
        }
        for entry in connection.addresses { ccurl_add_address(raw, entry) }
    }

    // MARK: In the loop

    /// Puts it into a loop; returns what that failed with.
    func enter(_ loop: OpaquePointer) -> TransportError? {
        let code = ccurl_loop_add(loop, raw)
        return code == 0 ? nil : TransportError(kind: .request, text: "it cannot be sent (libcurl: \(code))")
    }

    func leave(_ loop: OpaquePointer) { ccurl_loop_remove(loop, raw) }

    /// Goes on with what was paused.
    func resume() {
        guard isPaused else { return }
        isPaused = false
        lastProgress = MonotonicClock.milliseconds
        if ccurl_resume(raw) != 0, failure == nil {
            failure = TransportError(kind: .lost, text: "the transfer does not go on")
        }
    }

    /// Whether nothing has come or gone for too long, and not because of us.
    func isSilent(at now: Int64) -> Bool {
        let count = ccurl_progress(raw)
        let all = count &+ Int64(headerByteCount)
        if isPaused || count < 0 || all != progress {
            (progress, lastProgress) = (all, now)
            return false
        }
        return now - lastProgress > transfer.connection.idleTimeout
    }

    // MARK: Called by libcurl

    private static let callbacks = ccurl_callbacks(
        header: { context, bytes, count in
            CurlHandle.from(context)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: count)) ?? ccurl_abort
        },
        body: { context, bytes, count in
            CurlHandle.from(context)?.takeBody(UnsafeRawBufferPointer(start: bytes, count: count)) ?? ccurl_abort
        },
        read: { context, room, size in
            CurlHandle.from(context)?.give(UnsafeMutableRawBufferPointer(start: room, count: size)) ?? ccurl_abort
        },
        rewind: { context in CurlHandle.from(context)?.rewind() == true ? 1 : 0 })

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlHandle? {
        context.map { Unmanaged<CurlHandle>.fromOpaque($0).takeUnretainedValue() }
    }

    private func fail(_ kind: TransportError.Kind, _ text: String) -> Int {
        failure = TransportError(kind: kind, text: text)
        return ccurl_abort
    }

    private func pause() -> Int {
        isPaused = true
        return ccurl_pause
    }

    private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        headerByteCount += bytes.count
        if headerByteCount > CurlHandle.maximumHeaderSize {
            return fail(.request, "the answer's header is longer than \(CurlHandle.maximumHeaderSize) bytes")
        }
        // What follows the body says nothing that is of interest here.
        if isHeadComplete { return bytes.count }
        var end = bytes.endIndex
        if end > 0, bytes[end - 1] == 0x0a { end -= 1 }
        if end > 0, bytes[end - 1] == 0x0d { end -= 1 }
        let line = String(decoding: bytes[..<end], as: UTF8.self)[...]
        if line.hasPrefix("HTTP/") {
            guard let begun = HTTPHead(line: line) else { return fail(.lost, "the answer is no HTTP") }
            head = begun
        } else if !line.isEmpty {
            head?.add(line: line)
        } else if let whole = head, !(100..<200).contains(whole.status) {
            // libcurl passes over a length that is no number.
            guard whole.headers["content-length"].allSatisfy({ (Int64($0) ?? -1) >= 0 }) else {
                return fail(.lost, "the answer is no HTTP")
            }
            isHeadComplete = true
            transfer.begin(whole)
        }
        return bytes.count
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch transfer.take(bytes) {
        case .taken: bytes.count
        case .full: pause()
        case .over: ccurl_abort
        }
    }

    private func give(_ room: UnsafeMutableRawBufferPointer) -> Int {
        switch transfer.request.body {
        case .none: return 0
        case .bytes(let bytes):
            let count = min(room.count, bytes.count - sent)
            bytes.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sent..<(sent + count)])) }
            sent += count
            return count
        case .stream(let channel, let length):
            let rest = length.map { Int(clamping: $0 - Int64(sent)) } ?? Int.max
            if rest <= 0 { return 0 }
            switch channel.read(into: UnsafeMutableRawBufferPointer(rebasing: room.prefix(rest))) {
            case .bytes(let count):
                sent += count
                return count
            case .later: return pause()
            case .end: return length == nil ? 0 : fail(.request, "there is less to send than was announced")
            case .failed: return fail(.request, "what is to be sent cannot be made")
            }
        }
    }

    private func rewind() -> Bool {
        if case .stream = transfer.request.body { return sent == 0 }
        sent = 0
        return true
    }
}
