import Linux

/// Writes the content of a new file, leaving holes where long runs of zeros are.
struct FileContent {
    /// A run of zeros this long, and aligned like that, becomes a hole; so do the parts of one where two pieces meet.
    private static let granularity = 16 << 10

    private let size: Int64
    private var end: Int64 = 0

    /// - Parameter size: the size of the file once it is finished.
    init(size: Int64) { self.size = size }

    mutating func write(
        _ piece: UnsafeRawBufferPointer, at offset: Int64, to file: borrowing FileDescriptor
    ) throws(Errno) {
        var position = 0
        // Up to this position there is content that was not written yet.
        var start = 0
        while position < piece.count {
            let misalignment = Int((offset + Int64(position)) % Int64(FileContent.granularity))
            let length = min(FileContent.granularity - misalignment, piece.count - position)
            let block = UnsafeRawBufferPointer(rebasing: piece[position..<position + length])
            let isWhole = length == FileContent.granularity || position == 0 || position + length == piece.count
            if isWhole && FileContent.isZero(block) {
                try writeAll(piece, start..<position, offset, file)
                start = position + length
            }
            position += length
        }
        try writeAll(piece, start..<position, offset, file)
    }

    /// Gives the file its size, where it ends with a hole.
    func finish(_ file: borrowing FileDescriptor) throws(Errno) {
        if end != size { try file.truncate(to: size) }
    }

    private mutating func writeAll(
        _ piece: UnsafeRawBufferPointer, _ range: Range<Int>, _ offset: Int64, _ file: borrowing FileDescriptor
    ) throws(Errno) {
        var position = range.lowerBound
        while position < range.upperBound {
            let rest = UnsafeRawBufferPointer(rebasing: piece[position..<range.upperBound])
            position += try file.write(rest, at: offset + Int64(position))
        }
        if !range.isEmpty { end = offset + Int64(range.upperBound) }
    }

    private static func isZero(_ block: UnsafeRawBufferPointer) -> Bool {
        // The first words tell of nearly every block that is not zero.
        var position = 0
        while position + 8 <= block.count {
            if block.loadUnaligned(fromByteOffset: position, as: UInt64.self) != 0 { return false }
            position += 8
        }
        return block[position...].allSatisfy { $0 == 0 }
    }
}
