import Archive
import Dispatch
import ImageStore
import Linux
import OCI
import Synchronization

/// Carries the bytes of a layer from its download to the thread that unpacks it, with little in memory.
///
/// The end is only told once the download is verified, so nothing is published before.
final class ByteQueue: ByteSource, Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        /// How far the first piece is read.
        var position = 0
        var byteCount = 0
        var end: Result<Void, ArchiveError>?
        var isCancelled = false
        var writerWaits = false
        var readerWaits = false
    }

    private static let capacity = 4 << 20

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)
    private let content = DispatchSemaphore(value: 0)

    /// Takes a piece; waits while there is too much. EPIPE when nobody reads any more.
    func put(_ piece: UnsafeRawBufferPointer) throws(Errno) {
        if piece.isEmpty { return }
        let bytes = Array(piece)
        while true {
            enum Outcome { case done(wake: Bool), full, cancelled }
            let outcome: Outcome = state.withLock { state in
                if state.isCancelled { return .cancelled }
                if state.byteCount >= ByteQueue.capacity {
                    state.writerWaits = true
                    return .full
                }
                state.pieces.append(bytes)
                state.byteCount += bytes.count
                defer { state.readerWaits = false }
                return .done(wake: state.readerWaits)
            }
            switch outcome {
            case .cancelled: throw .EPIPE
            case .full: room.wait()
            case .done(let wake):
                if wake { content.signal() }
                return
            }
        }
    }

    /// There is nothing more to come: all is well, or the reader gets the error.
    func end(_ result: Result<Void, ArchiveError>) {
        let wake = state.withLock { state in
            if state.end == nil { state.end = result }
            defer { state.readerWaits = false }
            return state.readerWaits
        }
        if wake { content.signal() }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        while true {
            enum Outcome { case bytes(Int, wake: Bool), wait, end(Result<Void, ArchiveError>) }
            let outcome: Outcome = state.withLock { state in
                if state.isCancelled { return .end(.success(())) }
                if case .failure? = state.end, let end = state.end { return .end(end) }
                guard let first = state.pieces.first else {
                    if let end = state.end { return .end(end) }
                    state.readerWaits = true
                    return .wait
                }
                let count = min(buffer.count, first.count - state.position)
                first.withUnsafeBytes { bytes in
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.position...].prefix(count)))
                }
                state.position += count
                state.byteCount -= count
                if state.position == first.count {
                    state.pieces.removeFirst()
                    state.position = 0
                }
                let wake = state.writerWaits && state.byteCount < ByteQueue.capacity
                if wake { state.writerWaits = false }
                return .bytes(count, wake: wake)
            }
            switch outcome {
            case .wait: content.wait()
            case .end(.success): return 0
            case .end(.failure(let error)): throw error
            case .bytes(let count, let wake):
                if wake { room.signal() }
                return count
            }
        }
    }

    /// Passes over what an archive has no need of, and waits for the end; throws what the download failed with.
    func finish() throws(StoreError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        do throws(ArchiveError) {
            while try read(into: buffer) > 0 {}
        } catch {
            throw StoreError(error)
        }
    }

    func cancel() {
        let (writer, reader) = state.withLock { state in
            state.isCancelled = true
            state.pieces = []
            defer { (state.writerWaits, state.readerWaits) = (false, false) }
            return (state.writerWaits, state.readerWaits)
        }
        if writer { room.signal() }
        if reader { content.signal() }
    }
}
