import Dispatch
import NIOCore
import Synchronization

/// Carries pieces from a thread that may block to a task that must not: one of each.
final class PieceChannel: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private struct State {
        var pieces: [ByteBuffer] = []
        var byteCount = 0
        var end: Result<Void, any Error>?
        var isAbandoned = false
        var producerWaits = false
        var consumer: CheckedContinuation<ByteBuffer?, any Error>?
    }

    /// How many bytes may lie in wait.
    private static let capacity = 4 << 20

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)

    /// Nobody takes the pieces any more.
    struct Abandoned: Error {}

    /// Gives a piece; waits while there are too many. Throws when nobody takes them any more.
    func put(_ piece: UnsafeRawBufferPointer) throws(Abandoned) {
        if piece.isEmpty { return }
        let buffer = ByteBuffer(bytes: piece)
        while true {
            let outcome: Bool? = state.withLock { state in
                if state.isAbandoned { return nil }
                if let consumer = state.consumer {
                    state.consumer = nil
                    consumer.resume(returning: buffer)
                    return true
                }
                if state.byteCount >= PieceChannel.capacity {
                    state.producerWaits = true
                    return false
                }
                state.pieces.append(buffer)
                state.byteCount += buffer.readableBytes
                return true
            }
            switch outcome {
            case nil: throw Abandoned()
            case true?: return
            case false?: room.wait()
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

    /// There will be no further piece; with an error, the task that takes them gets it after the last one.
    func end(_ result: Result<Void, any Error> = .success(())) {
        state.withLock { state in
            if state.end == nil { state.end = result }
            guard let consumer = state.consumer else { return }
            state.consumer = nil
            consumer.resume(with: result.map { nil })
        }
    }

    /// Nobody takes pieces any more: the thread that gives them is told so.
    func abandon() {
        let waits = state.withLock { state in
            state.isAbandoned = true
            state.pieces = []
            if let consumer = state.consumer {
                state.consumer = nil
                consumer.resume(throwing: CancellationError())
            }
            defer { state.producerWaits = false }
            return state.producerWaits
        }
        if waits { room.signal() }
    }

    func makeAsyncIterator() -> Iterator { Iterator(channel: self) }

    struct Iterator: AsyncIteratorProtocol {
        let channel: PieceChannel

        func next() async throws -> ByteBuffer? {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { channel.take($0) }
            } onCancel: {
                channel.abandon()
            }
        }
    }

    private func take(_ consumer: CheckedContinuation<ByteBuffer?, any Error>) {
        let wakes = state.withLock { state -> Bool in
            if state.isAbandoned {
                consumer.resume(throwing: CancellationError())
                return false
            }
            if !state.pieces.isEmpty {
                let piece = state.pieces.removeFirst()
                state.byteCount -= piece.readableBytes
                consumer.resume(returning: piece)
            } else if let end = state.end {
                consumer.resume(with: end.map { nil })
            } else {
                state.consumer = consumer
            }
            guard state.producerWaits, state.byteCount < PieceChannel.capacity else { return false }
            state.producerWaits = false
            return true
        }
        if wakes { room.signal() }
    }
}
