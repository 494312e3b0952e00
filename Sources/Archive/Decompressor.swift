import CArchive
import Linux
import OCI

/// How much of an archive is accepted.
package struct StreamLimits: Hashable, Sendable {
    /// The most bytes after decompression.
    package var maximumBytes: Int64
    /// The most times that the bytes may become more by decompression, once there are more than `ratioFloor`.
    package var maximumRatio: Int64

    /// What little unpacks to less than this harms nobody, however well it was compressed.
    package static let ratioFloor: Int64 = 1 << 30

    /// Limits of a stream.
    package init(maximumBytes: Int64, maximumRatio: Int64) {
        self.maximumBytes = maximumBytes
        self.maximumRatio = maximumRatio
    }
}

/// The bytes of an archive after decompression, by libarchive's filters (gzip, bzip2, xz, Zstandard, or none).
///
/// Only the filters are libarchive's: what is in the stream (`TarReader`) must keep names as the bytes they are,
/// whatever the locale.
package final class Decompressor {
    private let archive: OpaquePointer
    private let input: Input
    private let limits: StreamLimits
    private var byteCount: Int64 = 0
    private var isAtEnd = false

    /// What libarchive reads from: it calls back with a pointer to this.
    private final class Input {
        let source: any ByteSource
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        var byteCount: Int64 = 0
        var failure: ArchiveError?

        init(_ source: any ByteSource) { self.source = source }

        deinit { buffer.deallocate() }

        func read() -> Int {
            do throws(ArchiveError) {
                let count = try source.read(into: buffer)
                byteCount += Int64(count)
                return count
            } catch {
                failure = error
                return -1
            }
        }
    }

    /// Starts to read; `badArchive` when the compression is damaged.
    package init(_ source: any ByteSource, limits: StreamLimits) throws(ArchiveError) {
        guard let archive = archive_read_new() else { throw ArchiveError("read the archive", .ENOMEM) }
        self.archive = archive
        self.limits = limits
        input = Input(source)
        archive_read_support_filter_gzip(archive)
        archive_read_support_filter_bzip2(archive)
        archive_read_support_filter_xz(archive)
        archive_read_support_filter_zstd(archive)
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        let opened = archive_read_open(
            archive, Unmanaged.passUnretained(input).toOpaque(), nil,
            { _, context, result in
                guard let context, let result else { return -1 }
                let input = Unmanaged<Input>.fromOpaque(context).takeUnretainedValue()
                result.pointee = UnsafeRawPointer(input.buffer.baseAddress)
                return input.read()
            }, nil)
        try check(opened)
        var entry: OpaquePointer?
        try check(archive_read_next_header(archive, &entry))
    }

    deinit {
        archive_read_free(archive)
    }

    /// The next bytes, valid until the next call; empty at the end.
    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        while !isAtEnd {
            var block: UnsafeRawPointer?
            var size = 0
            var offset: Int64 = 0
            if try check(archive_read_data_block(archive, &block, &size, &offset)) { break }
            if size == 0 { continue }
            byteCount += Int64(size)
            try keepToLimits()
            return UnsafeRawBufferPointer(start: block, count: size)
        }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private func keepToLimits() throws(ArchiveError) {
        if byteCount > limits.maximumBytes {
            throw ArchiveError(
                .badArchive, "the archive holds more than \(limits.maximumBytes) bytes",
                remedy: "STRATA_MAX_LAYER_SIZE accepts more")
        }
        if byteCount > StreamLimits.ratioFloor, byteCount / max(input.byteCount, 1) > limits.maximumRatio {
            throw ArchiveError(
                .badArchive, "the archive unpacks to more than \(limits.maximumRatio) times its size",
                remedy: "STRATA_MAX_LAYER_RATIO accepts more")
        }
    }

    /// Whether the end is reached; throws when libarchive or the source reports a fault.
    @discardableResult
    private func check(_ result: Int32) throws(ArchiveError) -> Bool {
        if let failure = input.failure { throw failure }
        if result == ARCHIVE_EOF {
            isAtEnd = true
            return true
        }
        if result == ARCHIVE_OK || result == ARCHIVE_WARN { return false }
        var reason = archive_error_string(archive).map { String(cString: $0) } ?? "it cannot be read"
        if let lineEnd = reason.firstIndex(of: "\n") { reason = String(reason[..<lineEnd]) }
        throw ArchiveError(.badArchive, "the archive is damaged: \(reason)")
    }
}
