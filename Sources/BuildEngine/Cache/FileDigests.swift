import LayerTree
import Linux
import OCI
import Synchronization

/// The SHA-256 of a file's data.
struct FileDigest: Hashable, Sendable {
    /// The 32 bytes as four numbers.
    var first: UInt64
    var second: UInt64
    var third: UInt64
    var fourth: UInt64

    init(_ word: (Int) -> UInt64) {
        (first, second, third, fourth) = (word(0), word(1), word(2), word(3))
    }

    var words: [UInt64] { [first, second, third, fourth] }
}

/// The digests of files that were read before, so that a file that has not changed is not read again.
///
/// A file counts as the one that was read if device, inode, size and both times of change are the same. The time of the
/// last change of the inode cannot be set by anybody, so nothing but the clock's resolution stands against that; a file
/// that changed only just now is not remembered.
final class FileDigests: Sendable {
    /// What is remembered of a file.
    struct Known: Hashable, Sendable {
        var size: Int64
        var modified: TimeSpec
        var changed: TimeSpec
        var hasAttributes: Bool
        var digest: FileDigest

        func isStill(_ status: FileStatus) -> Bool {
            size == status.size && modified == status.modificationTime && changed == status.changeTime
        }
    }

    private struct State {
        var files: [FileIdentity: Known] = [:]
        var isChanged = false
    }

    /// How old a change has to be for its time to tell it from a later one, in nanoseconds; several ticks of the
    /// slowest clock that file systems take their times from.
    private static let resolution: Int64 = 30_000_000
    /// Above this many, what was not used lately is forgotten.
    private static let limit = 500_000

    private let state: Mutex<State>

    init() { state = Mutex(State()) }

    /// What is remembered of a file as it is now.
    func known(_ status: FileStatus) -> Known? {
        let known = state.withLock { $0.files[FileIdentity(status)] }
        guard let known, known.isStill(status) else { return nil }
        return known
    }

    /// The digest of a regular file, read if it is not known.
    func digest(
        of entry: TreeEntry, in directory: TreeDirectory, hasAttributes: Bool
    ) throws(Errno) -> FileDigest {
        let status = entry.status
        if let known = known(status) { return known.digest }
        let now = Timestamp.now
        let digest = try Self.read(try directory.openFile(entry), size: status.size)
        let age =
            (now.seconds &- status.changeTime.seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ Int64(now.nanoseconds) &- status.changeTime.nanoseconds
        guard age > Self.resolution else { return digest }
        state.withLock { state in
            if state.files.count >= Self.limit { state.files.removeAll() }
            state.isChanged = true
            state.files[FileIdentity(status)] = Known(
                size: status.size, modified: status.modificationTime, changed: status.changeTime,
                hasAttributes: hasAttributes, digest: digest)
        }
        return digest
    }

    private static func read(_ file: borrowing FileDescriptor, size: Int64) throws(Errno) -> FileDigest {
        let room = size < 1 << 16 ? 1 << 16 : 1 << 20
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 4096)
        defer { buffer.deallocate() }
        var hasher = DigestHasher()
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return hasher.withDigestBytes { bytes in
            FileDigest { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
    }

    // MARK: Keeping

    private static let version: UInt64 = 0x7374_7261_7461_0001
    private static let recordWords = 13

    /// What is remembered, as bytes; nil if nothing new was learnt since it was read.
    func encodedIfChanged() -> [UInt8]? {
        state.withLock { state -> [UInt8]? in
            guard state.isChanged else { return nil }
            state.isChanged = false
            var words: [UInt64] = [Self.version]
            words.reserveCapacity(1 + state.files.count * Self.recordWords)
            for (identity, known) in state.files {
                words += [
                    identity.device, identity.inode, UInt64(bitPattern: known.size),
                    UInt64(bitPattern: known.modified.seconds), UInt64(bitPattern: known.modified.nanoseconds),
                    UInt64(bitPattern: known.changed.seconds), UInt64(bitPattern: known.changed.nanoseconds),
                    known.hasAttributes ? 1 : 0,
                ]
                words += known.digest.words
                words.append(0)
            }
            return words.withUnsafeBytes { Array($0) }
        }
    }

    /// Takes what an earlier build remembered; bytes of another form are passed over.
    func restore(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { raw in
            guard raw.count % 8 == 0, raw.count >= 8, raw.loadUnaligned(as: UInt64.self) == Self.version else { return }
            let stride = Self.recordWords * 8
            guard (raw.count - 8) % stride == 0 else { return }
            func word(_ offset: Int) -> UInt64 { raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
            func signed(_ offset: Int) -> Int64 { Int64(bitPattern: word(offset)) }
            state.withLock { state in
                state.files.reserveCapacity((raw.count - 8) / stride)
                for start in Swift.stride(from: 8, to: raw.count, by: stride) {
                    state.files[FileIdentity(device: word(start), inode: word(start + 8))] = Known(
                        size: signed(start + 16),
                        modified: TimeSpec(seconds: signed(start + 24), nanoseconds: signed(start + 32)),
                        changed: TimeSpec(seconds: signed(start + 40), nanoseconds: signed(start + 48)),
                        hasAttributes: word(start + 56) != 0,
                        digest: FileDigest { word(start + 64 + $0 * 8) })
                }
            }
        }
    }
}
