import CArchive
import Linux

/// The bytes of an archive file after decompression, by libarchive's filters.
///
/// Only the filters are libarchive's: what is in the stream (`TarReader`) must keep names as the bytes they are,
/// whatever the locale.
final class DecompressedStream {
    private let archive: OpaquePointer
    /// What libarchive gave last and was not used yet; valid until the next call into it.
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isAtEnd = false
    /// How many bytes came out so far.
    private(set) var position: Int64 = 0
    private let maximumBytes: Int64

    /// Starts to read a file from its current position; `badArchive` when its compression is damaged.
    init(_ file: borrowing FileDescriptor, maximumBytes: Int64) throws(StoreError) {
        guard let archive = archive_read_new() else { throw StoreError(Errno.ENOMEM, "cannot read the archive") }
        self.archive = archive
        self.maximumBytes = maximumBytes
        archive_read_support_filter_gzip(archive)
        archive_read_support_filter_bzip2(archive)
        archive_read_support_filter_xz(archive)
        archive_read_support_filter_zstd(archive)
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        try check(archive_read_open_fd(archive, file.rawValue, 1 << 20))
        var entry: OpaquePointer?
        try check(archive_read_next_header(archive, &entry))
    }

    deinit {
        archive_read_free(archive)
    }

    /// The next bytes, as many as there are up to `limit`; empty at the end. Valid until the next call.
    func next(_ limit: Int) throws(StoreError) -> UnsafeRawBufferPointer {
        while rest.isEmpty && !isAtEnd { try fill() }
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(limit))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        position += Int64(piece.count)
        if position > maximumBytes {
            throw StoreError(.badArchive, "the archive holds more than \(maximumBytes) bytes")
        }
        return piece
    }

    /// Exactly `count` bytes; fewer only at the end of the stream.
    func read(_ count: Int) throws(StoreError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let piece = try next(count - bytes.count)
            if piece.isEmpty { break }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    /// Reads to the end, so that damage there is noticed and whoever writes into a pipe can finish.
    func drain() throws(StoreError) {
        while try !next(Int.max).isEmpty {}
    }

    private func fill() throws(StoreError) {
        var block: UnsafeRawPointer?
        var size = 0
        var offset: Int64 = 0
        if try check(archive_read_data_block(archive, &block, &size, &offset)) {
            isAtEnd = true
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
        } else {
            rest = UnsafeRawBufferPointer(start: block, count: size)
        }
    }

    /// Whether the end is reached; throws when libarchive reports a fault.
    @discardableResult
    private func check(_ result: Int32) throws(StoreError) -> Bool {
        if result == ARCHIVE_EOF {
            isAtEnd = true
            return true
        }
        if result == ARCHIVE_OK || result == ARCHIVE_WARN { return false }
        var reason = archive_error_string(archive).map { String(cString: $0) } ?? "it cannot be read"
        if let lineEnd = reason.firstIndex(of: "\n") { reason = String(reason[..<lineEnd]) }
        throw StoreError(.badArchive, "the archive is damaged: \(reason)")
    }
}
