import CDeflate
import Dispatch
import Glibc
import ImageStore
import Linux
import OCI
import Synchronization

/// Compresses a stream with gzip (RFC 1952), always to the same bytes: pieces of 1 MiB become members of their own, by
/// libdeflate, on all processors, with nothing in their headers that could vary.
///
/// Members one after the other are one stream to every reader of gzip (RFC 1952, section 2.2).
final class GzipEncoder {
    /// What the output depends on. It stands in records: bytes promised under another name cannot be made any more.
    static let name = "strata-gzip-1/libdeflate-\(LIBDEFLATE_VERSION_MAJOR).\(LIBDEFLATE_VERSION_MINOR)/\(level)"

    private static let level: Int32 = 5
    private static let blockSize = 1 << 20

    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private let width: Int
    private var input: UnsafeMutableRawBufferPointer
    private var used = 0
    private var hasOutput = false
    private let compressors: [Compressor]

    /// One thread's compressor and the member that it made last.
    private final class Compressor: @unchecked Sendable {
        let handle: OpaquePointer?
        let output: UnsafeMutableRawBufferPointer
        var count = 0

        init(level: Int32, limit: Int) {
            handle = libdeflate_alloc_compressor(level)
            output = .allocate(byteCount: libdeflate_gzip_compress_bound(handle, limit), alignment: 64)
        }

        deinit {
            if let handle { libdeflate_free_compressor(handle) }
            output.deallocate()
        }

        func compress(_ block: UnsafeRawBufferPointer) {
            guard let handle else {
                count = 0
                return
            }
            // An empty block has no address, and still is one.
            count = withUnsafePointer(to: UInt8(0)) { nothing in
                libdeflate_gzip_compress(
                    handle, block.baseAddress ?? UnsafeRawPointer(nothing), block.count, output.baseAddress,
                    output.count)
            }
        }
    }

    /// Gives what it makes to `sink`, in order.
    init(sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.sink = sink
        width = max(1, min(16, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        input = .allocate(byteCount: width * GzipEncoder.blockSize, alignment: 64)
        compressors = (0..<width).map { _ in Compressor(level: GzipEncoder.level, limit: GzipEncoder.blockSize) }
    }

    deinit { input.deallocate() }

    /// Takes the next bytes.
    func put(_ piece: UnsafeRawBufferPointer) throws {
        var rest = piece
        while !rest.isEmpty {
            let count = min(rest.count, input.count - used)
            UnsafeMutableRawBufferPointer(rebasing: input[used...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            used += count
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            if used == input.count { try flush() }
        }
    }

    /// Writes what is left; an empty stream becomes an empty member.
    func finish() throws {
        if used > 0 || !hasOutput { try flush() }
    }

    private func flush() throws {
        let blocks = max(1, (used + GzipEncoder.blockSize - 1) / GzipEncoder.blockSize)
        let filled = Blocks(bytes: UnsafeRawBufferPointer(rebasing: input.prefix(used)), compressors: compressors)
        if blocks == 1 {
            filled.compress(0, size: GzipEncoder.blockSize)
        } else {
            DispatchQueue.concurrentPerform(iterations: blocks) { filled.compress($0, size: GzipEncoder.blockSize) }
        }
        for compressor in compressors.prefix(blocks) {
            if compressor.count == 0 { throw StoreError(.io, "cannot compress a layer: there is no memory") }
            try sink(UnsafeRawBufferPointer(rebasing: compressor.output.prefix(compressor.count)))
        }
        used = 0
        hasOutput = true
    }

    /// What several threads work on at once, each on its own part.
    private struct Blocks: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let compressors: [Compressor]

        func compress(_ index: Int, size: Int) {
            let start = min(index * size, bytes.count)
            let end = min(start + size, bytes.count)
            compressors[index].compress(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
    }
}
