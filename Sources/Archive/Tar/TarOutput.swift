import Linux

/// Collects the bytes of an archive in large pieces for whoever takes them; fails as that one does.
package struct TarOutput<Fault: Error>: ~Copyable {
    package typealias Sink = (UnsafeRawBufferPointer) throws(Fault) -> Void

    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0
    private let sink: Sink
    /// How many bytes were put in so far.
    package private(set) var byteCount: Int64 = 0

    package init(sink: @escaping Sink) {
        buffer = .allocate(byteCount: 1 << 20, alignment: 4096)
        self.sink = sink
    }

    deinit {
        buffer.deallocate()
    }

    package mutating func put(_ bytes: [UInt8]) throws(Fault) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if used == buffer.count { try flush() }
            let piece = rest.prefix(buffer.count - used)
            UnsafeMutableRawBufferPointer(rebasing: buffer[used...]).copyBytes(from: piece)
            advance(piece.count)
            rest = rest.dropFirst(piece.count)
        }
    }

    package mutating func putZeros(_ count: Int64) throws(Fault) {
        var left = count
        while left > 0 {
            if used == buffer.count { try flush() }
            let length = Int(min(left, Int64(buffer.count - used)))
            UnsafeMutableRawBufferPointer(rebasing: buffer[used..<used + length]).initializeMemory(
                as: UInt8.self, repeating: 0)
            advance(length)
            left -= Int64(length)
        }
    }

    /// Zeros up to a full block of 512 bytes.
    package mutating func pad() throws(Fault) {
        try putZeros((512 - byteCount % 512) % 512)
    }

    /// Reads straight into the buffer; returns how many bytes `read` delivered, 0 at the end of the file.
    package mutating func fill(
        limit: Int64, _ read: (UnsafeMutableRawBufferPointer) throws(Fault) -> Int
    ) throws(Fault) -> Int {
        // Small rests of the buffer would make small reads.
        if buffer.count - used < min(1 << 16, Int(clamping: limit)) { try flush() }
        let room = Int(min(limit, Int64(buffer.count - used)))
        let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[used..<used + room]))
        advance(count)
        return count
    }

    package mutating func flush() throws(Fault) {
        if used == 0 { return }
        try sink(UnsafeRawBufferPointer(rebasing: buffer[..<used]))
        used = 0
    }

    private mutating func advance(_ count: Int) {
        used += count
        byteCount += Int64(count)
    }
}
