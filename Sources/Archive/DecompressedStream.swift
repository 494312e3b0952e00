import Linux
package import OCI

/// The bytes of an archive after decompression, made and hashed by a thread of their own, so that whoever unpacks them
/// only waits for the disk.
package final class DecompressedStream {
    private let producer: StreamProducer
    private let thread: PrivateThread.Companion
    private var block: StreamBlock?
    /// What is left of the block.
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isAtEnd = false
    /// How many bytes were taken so far.
    package private(set) var position: Int64 = 0

    /// Starts to read. Damage and faults of the source are reported by the calls that need the bytes.
    ///
    /// - Parameter hashes: whether `finish()` is going to ask for the digest.
    package init(_ source: any ByteSource, limits: StreamLimits, hashes: Bool = true) throws(ArchiveError) {
        let producer = StreamProducer(source, limits: limits, hashes: hashes)
        guard let thread = PrivateThread.startIfPossible({ producer.run() }) else {
            throw ArchiveError("read the archive", .EAGAIN)
        }
        self.producer = producer
        self.thread = thread
    }

    deinit {
        // Where all was taken, the source may have more that others want.
        if !isAtEnd { producer.cancel() }
        thread.join()
    }

    /// The next bytes, as many as there are up to `limit`; empty at the end. Valid until the next call.
    package func next(_ limit: Int) throws(ArchiveError) -> UnsafeRawBufferPointer {
        if rest.isEmpty && !isAtEnd { try fill() }
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(limit))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        position += Int64(piece.count)
        return piece
    }

    /// Exactly `count` bytes; fewer only at the end of the stream.
    package func read(_ count: Int) throws(ArchiveError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let piece = try next(count - bytes.count)
            if piece.isEmpty { break }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    /// The digest of all bytes; what was not taken yet is passed over.
    package func finish() throws(ArchiveError) -> Digest {
        while try !next(Int.max).isEmpty {}
        return try producer.digest()
    }

    private func fill() throws(ArchiveError) {
        if let used = block { producer.free.put(used) }
        block = producer.full.take()
        guard let block else {
            isAtEnd = true
            _ = try producer.digest()
            return
        }
        rest = UnsafeRawBufferPointer(rebasing: block.buffer[..<block.count])
    }
}

/// A piece of a stream on its way between two threads; only one of them has it.
private final class StreamBlock: @unchecked Sendable {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 19, alignment: 4096)
    var count = 0

    deinit { buffer.deallocate() }

    /// Takes as much as there is room for; returns how much that was.
    func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        let length = min(bytes.count, buffer.count - count)
        UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + length])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        count += length
        return length
    }
}

/// The thread that decompresses and hashes. What it leaves behind is read only after `full` was found closed.
private final class StreamProducer: @unchecked Sendable {
    private static let blockCount = 6

    let full = BoundedQueue<StreamBlock>(capacity: blockCount)
    let free = BoundedQueue<StreamBlock>(capacity: blockCount)
    private let source: any ByteSource
    private let limits: StreamLimits
    private let hashes: Bool
    private var hasher = DigestHasher()
    private var failure: ArchiveError?

    init(_ source: any ByteSource, limits: StreamLimits, hashes: Bool) {
        self.source = source
        self.limits = limits
        self.hashes = hashes
        for _ in 0..<StreamProducer.blockCount { free.put(StreamBlock()) }
    }

    func cancel() {
        source.cancel()
        free.close()
        full.close()
    }

    /// What the whole stream hashes to; to be asked once `full` is at its end.
    func digest() throws(ArchiveError) -> Digest {
        if let failure { throw failure }
        return hasher.finish()
    }

    func run() {
        do throws(ArchiveError) {
            try produce()
        } catch {
            failure = error
        }
        full.close()
    }

    private func produce() throws(ArchiveError) {
        let decompressor = try Decompressor(source, limits: limits)
        var block: StreamBlock?
        while true {
            var piece = try decompressor.next()
            if piece.isEmpty { break }
            if hashes { hasher.update(piece) }
            while !piece.isEmpty {
                guard let target = block ?? nextFree() else { return }
                piece = UnsafeRawBufferPointer(rebasing: piece.dropFirst(target.append(piece)))
                block = target
                // Handed over when full, and at once where somebody waits for it.
                if target.count == target.buffer.count || piece.isEmpty && full.isEmpty {
                    full.put(target)
                    block = nil
                }
            }
        }
        if let block { full.put(block) }
    }

    private func nextFree() -> StreamBlock? {
        let block = free.take()
        block?.count = 0
        return block
    }
}
