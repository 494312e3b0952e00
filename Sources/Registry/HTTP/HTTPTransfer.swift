import Synchronization

/// A request under way: what the thread that carries it shares with the task that waits for the answer.
///
/// What comes from the server lies here until the task takes it. When much lies here the thread stops reading, so that the
/// server has to wait too.
final class HTTPTransfer: Sendable {
    /// What became of bytes that came.
    enum Intake {
        case taken
        /// There is too much; to be tried again when the loop is told.
        case full
        /// Nobody wants them any more.
        case over
    }

    private struct State {
        var head: HTTPHead?
        var pieces: [[UInt8]] = []
        var byteCount = 0
        var end: Result<Void, TransportError>?
        /// Whether bytes had to wait.
        var isFull = false
        var headReader: CheckedContinuation<Result<HTTPHead, TransportError>, Never>?
        var pieceReader: CheckedContinuation<Result<[UInt8]?, TransportError>, Never>?
    }

    let request: HTTPRequest
    let connection: HTTPConnection
    private let loop: CurlLoop
    private let state = Mutex(State())

    /// Above this many bytes the server has to wait, until half of them are taken.
    private static let capacity = 1 << 20
    /// Pieces are put together up to this size.
    private static let pieceSize = 256 << 10

    init(_ request: HTTPRequest, _ connection: HTTPConnection, on loop: CurlLoop) {
        self.request = request
        self.connection = connection
        self.loop = loop
    }

    // MARK: The task's side

    /// Sends the request and waits for the beginning of the answer.
    func answer() async throws(TransportError) -> HTTPResponse {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.headReader = continuation }
                loop.start(self)
                flush()
            }
        } onCancel: {
            cancel()
        }
        return HTTPResponse(head: try result.get(), body: HTTPBody(self))
    }

    /// The next bytes of the answer's body; nil at its end.
    func next() async throws(TransportError) -> [UInt8]? {
        if Task.isCancelled { cancel() }
        let (ready, hasRoom) = state.withLock { state in HTTPTransfer.take(&state) }
        if hasRoom { loop.touch(self) }
        if let ready { return try ready.get() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.pieceReader = continuation }
                if flush() { loop.touch(self) }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    /// Ends it at once, wherever it is; what has come is dropped.
    func cancel() {
        let wasUnderWay = state.withLock { state in
            let wasUnderWay = state.end == nil
            // What is dropped must not look like the end of the body.
            if wasUnderWay || !state.pieces.isEmpty {
                state.end = .failure(TransportError(kind: .request, text: "cancelled"))
            }
            (state.pieces, state.byteCount) = ([], 0)
            return wasUnderWay
        }
        if wasUnderWay { loop.touch(self) }
        flush()
    }

    /// What a reader can have now, and whether the loop must be told that there is room again.
    private static func take(_ state: inout State) -> (Result<[UInt8]?, TransportError>?, hasRoom: Bool) {
        guard !state.pieces.isEmpty else { return (state.end?.map { nil }, false) }
        let piece = state.pieces.removeFirst()
        state.byteCount -= piece.count
        let hasRoom = state.isFull && state.byteCount <= HTTPTransfer.capacity / 2
        if hasRoom { state.isFull = false }
        return (.success(piece), hasRoom)
    }

    // MARK: The loop's side

    /// Whether it has come to an end, perhaps because nobody waits for it any more.
    var isOver: Bool { state.withLock { $0.end != nil } }

    /// Takes the beginning of the answer.
    func begin(_ head: HTTPHead) { state.withLock { $0.head = head } }

    /// Takes bytes of the answer's body, all or none.
    func take(_ bytes: UnsafeRawBufferPointer) -> Intake {
        state.withLock { state in
            if state.end != nil { return .over }
            if state.byteCount >= HTTPTransfer.capacity {
                state.isFull = true
                return .full
            }
            state.byteCount += bytes.count
            if let last = state.pieces.indices.last,
                state.pieces[last].count + bytes.count <= HTTPTransfer.pieceSize
            {
                state.pieces[last].append(contentsOf: bytes)
            } else {
                var piece: [UInt8] = []
                piece.reserveCapacity(bytes.count < 4096 ? bytes.count : HTTPTransfer.pieceSize)
                piece.append(contentsOf: bytes)
                state.pieces.append(piece)
            }
            return .taken
        }
    }

    /// Notes the end; the first one counts.
    func finish(_ result: Result<Void, TransportError>) {
        state.withLock { state in if state.end == nil { state.end = result } }
    }

    /// Wakes the task where there is something for it; returns whether there is room again for bytes that had to wait.
    @discardableResult
    func flush() -> Bool {
        let wake = state.withLock { state in HTTPTransfer.wake(&state) }
        // Not under the lock: who cancels a task holds a lock of the task's while `cancel` waits for this one, and to resume
        // the task takes that.
        if let (reader, result) = wake.head { reader.resume(returning: result) }
        if let (reader, result) = wake.piece { reader.resume(returning: result) }
        return wake.hasRoom
    }

    /// Who is to be resumed, with what.
    private struct Wake {
        var head: (CheckedContinuation<Result<HTTPHead, TransportError>, Never>, Result<HTTPHead, TransportError>)?
        var piece: (CheckedContinuation<Result<[UInt8]?, TransportError>, Never>, Result<[UInt8]?, TransportError>)?
        /// Whether there is room again for bytes that had to wait.
        var hasRoom = false
    }

    private static func wake(_ state: inout State) -> Wake {
        var wake = Wake()
        if let reader = state.headReader {
            if let head = state.head {
                wake.head = (reader, .success(head))
            } else if let end = state.end {
                wake.head = (
                    reader, end.flatMap { .failure(TransportError(kind: .lost, text: "the answer is no HTTP")) }
                )
            }
            if wake.head != nil { state.headReader = nil }
        }
        guard let reader = state.pieceReader else { return wake }
        let (result, hasRoom) = take(&state)
        wake.hasRoom = hasRoom
        if let result {
            wake.piece = (reader, result)
            state.pieceReader = nil
        }
        return wake
    }
}

/// What the connection of a request is made with.
struct HTTPConnection: Sendable {
    var proxy: Proxy?
    /// Whether the server must prove who it is.
    var verifiesServer = true
    var roots = TrustedRoots.none
    /// Whether HTTP/2 may be agreed on.
    var allowsHTTP2 = true
    /// Addresses to take for hosts, `host:port:address`.
    var addresses: [String] = []
    /// In milliseconds.
    var connectTimeout: Int64
    /// How long nothing may happen, in milliseconds.
    var idleTimeout: Int64
}
