import Dispatch
import Synchronization

/// Carries the pieces of a request's body from a thread that may block to the one that sends them, which must not.
final class PieceChannel: Sendable {
    /// What there is to send.
    enum Content: Hashable {
        /// So many bytes.
        case bytes(Int)
        /// Nothing yet; the function given to `whenFilled` is called when that changes.
        case later
        /// Nothing more.
        case end
        /// What was to come could not be made, or is not wanted any more.
        case failed
    }

    private struct State {
        var pieces: [[UInt8]] = []
        /// How far the first piece is read.
        var position = 0
        var byteCount = 0
        var end: Result<Void, any Error>?
        var isAbandoned = false
        var producerWaits = false
        var consumerWaits = false
        var whenFilled: (@Sendable () -> Void)?
    }

    /// How many bytes may lie in wait.
    private static let capacity = 4 << 20
    /// Pieces are put together up to this size.
    private static let pieceSize = 256 << 10

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)

    /// Nobody takes the pieces any more.
    struct Abandoned: Error {}

    /// Gives a piece; waits while there are too many. Throws when nobody takes them any more.
    func put(_ piece: UnsafeRawBufferPointer) throws(Abandoned) {
        if piece.isEmpty { return }
        while true {
            enum Outcome { case done(wake: (@Sendable () -> Void)?), full, abandoned }
            let outcome: Outcome = state.withLock { state in
                if state.isAbandoned { return .abandoned }
                if state.byteCount >= PieceChannel.capacity {
                    state.producerWaits = true
                    return .full
                }
                if let last = state.pieces.indices.last,
                    state.pieces[last].count + piece.count <= PieceChannel.pieceSize
                {
                    state.pieces[last].append(contentsOf: piece)
                } else {
                    state.pieces.append(Array(piece))
                }
                state.byteCount += piece.count
                return .done(wake: PieceChannel.waker(&state))
            }
            switch outcome {
            case .abandoned: throw Abandoned()
            case .full: room.wait()
            case .done(let wake):
                wake?()
                return
            }
        }
    }

    /// Why there were no more pieces, where that was an error.
    var failure: (any Error)? {
        state.withLock { state in
            guard case .failure(let error)? = state.end else { return nil }
            return error
        }
    }

    /// There will be no further piece; with an error, what is sent of them is of no use.
    func end(_ result: Result<Void, any Error> = .success(())) {
        let wake = state.withLock { state in
            if state.end == nil { state.end = result }
            return PieceChannel.waker(&state)
        }
        wake?()
    }

    /// Nobody takes pieces any more: the thread that gives them is told so.
    func abandon() {
        let waits = state.withLock { state in
            state.isAbandoned = true
            (state.pieces, state.byteCount, state.position) = ([], 0, 0)
            state.whenFilled = nil
            defer { state.producerWaits = false }
            return state.producerWaits
        }
        if waits { room.signal() }
    }

    /// Has a function called whenever there is something again for a reader that found nothing.
    func whenFilled(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.whenFilled = body } }

    /// Takes as many bytes as there are and as there is room for; never waits.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Content {
        let (content, wakes) = state.withLock { state -> (Content, Bool) in
            if state.isAbandoned { return (.failed, false) }
            var count = 0
            while count < buffer.count, let first = state.pieces.first {
                let part = min(buffer.count - count, first.count - state.position)
                first.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.position...].prefix(part)))
                }
                count += part
                state.position += part
                if state.position == first.count {
                    state.pieces.removeFirst()
                    state.position = 0
                }
            }
            if count == 0 {
                switch state.end {
                case .success?: return (.end, false)
                case .failure?: return (.failed, false)
                case nil:
                    state.consumerWaits = true
                    return (.later, false)
                }
            }
            state.byteCount -= count
            defer { if state.byteCount < PieceChannel.capacity { state.producerWaits = false } }
            return (.bytes(count), state.producerWaits && state.byteCount < PieceChannel.capacity)
        }
        if wakes { room.signal() }
        return content
    }

    private static func waker(_ state: inout State) -> (@Sendable () -> Void)? {
        guard state.consumerWaits else { return nil }
        state.consumerWaits = false
        return state.whenFilled
    }
}
