import Linux
public import OCI

/// What `dedupe` found and did.
public struct DeduplicationReport: Hashable, Sendable {
    /// Files of layers that were looked at, each once whatever its names.
    public var fileCount = 0
    /// Files that are like another one and share its space now.
    public var sharedCount = 0
    /// The blocks of those files, in bytes, which are free now.
    public var sharedBytes: Int64 = 0
    /// Files that shared the space of another one before.
    public var knownCount = 0
}

extension ImageStore {
    /// Has files of the layers that are the same share their space on disk, where the file system can do that (XFS and
    /// Btrfs can). The kernel compares the bytes; nothing is written, and no time or attribute changes.
    ///
    /// - Parameter isDryRun: whether nothing is to be done but counting.
    /// - Throws: `notPermitted`, or `io` where the file system cannot share.
    public func dedupe(isDryRun: Bool = false) throws(StoreError) -> DeduplicationReport {
        if !isDryRun { try requireSharing() }
        let layers = try layers()
        // What is removed meanwhile is left out.
        let held = layers.map(\.id).filter { (try? lease([$0])) != nil }
        var run = Deduplication(isDryRun: isDryRun)
        for id in held { try run.count(layerPath(id)) }
        for id in held { try run.collect(layerPath(id)) }
        return try run.share()
    }

    /// Tries with two small files, so that a file system that cannot do it is told at once.
    private func requireSharing() throws(StoreError) {
        let workshop = try makeTemporaryDirectory()
        do throws(Errno) {
            let one = try workshop.descriptor.open("one", [.create, .readWrite], mode: 0o600)
            let two = try workshop.descriptor.open("two", [.create, .readWrite], mode: 0o600)
            let bytes = [UInt8](repeating: 1, count: 4096)
            try one.writeAll(bytes)
            try two.writeAll(bytes)
            _ = try one.shareRange(from: 0, length: 4096, with: two, at: 0)
        } catch {
            guard [.EOPNOTSUPP, .EINVAL, .ENOTTY].contains(error) else {
                throw StoreError("share space between files", error)
            }
            let type = (try? FileSystemStatus(path: root).type).map(Deduplication.name) ?? "unknown"
            throw StoreError(
                .io, "cannot share space between files: the file system of \(root) (\(type)) is not able to",
                remedy: "keep the store on XFS or Btrfs")
        }
    }
}

/// Finds the files that are the same: by size, then by digest.
private struct Deduplication {
    /// Less than a block saves nothing.
    private static let minimumSize: Int64 = 4096
    private let isDryRun: Bool
    private var report = DeduplicationReport()
    private var sizes: [Int64: Int] = [:]
    private var seen: Set<FileIdentity> = []
    private var candidates: [Int64: [String]] = [:]

    init(isDryRun: Bool) { self.isDryRun = isDryRun }

    /// Counts the files of a tree by their sizes.
    mutating func count(_ path: String) throws(StoreError) {
        var (sizes, fileCount) = (sizes, 0)
        try visit(path) { (_, status) in
            sizes[status.size, default: 0] += 1
            fileCount += 1
        }
        self.sizes = sizes
        report.fileCount += fileCount
        seen = []
    }

    /// Notes the files of a tree whose size is not theirs alone.
    mutating func collect(_ path: String) throws(StoreError) {
        var candidates = candidates
        let sizes = sizes
        try visit(path) { (file, status) in
            if sizes[status.size, default: 0] > 1 { candidates[status.size, default: []].append(file) }
        }
        self.candidates = candidates
        seen = []
    }

    /// Has equal files share their space.
    mutating func share() throws(StoreError) -> DeduplicationReport {
        for (_, files) in candidates.sorted(by: { $0.key > $1.key }) where files.count > 1 {
            var originals: [Digest: String] = [:]
            for file in files {
                guard let digest = try digest(of: file) else { continue }
                if let original = originals[digest] {
                    try share(original, with: file)
                } else {
                    originals[digest] = file
                }
            }
        }
        return report
    }

    private mutating func visit(_ path: String, _ body: (String, FileStatus) -> Void) throws(StoreError) {
        var seen = seen
        try attempting("look through \(path)") { () throws(Errno) in
            try Deduplication.visit(path, &seen, body)
        }
        self.seen = seen
    }

    private static func visit(
        _ path: String, _ seen: inout Set<FileIdentity>, _ body: (String, FileStatus) -> Void
    ) throws(Errno) {
        let directory = try FileDescriptor.open(path, [.directory, .noFollow])
        for name in try directory.sortedEntryNames() {
            let status = try directory.status(of: name)
            // A name that is no UTF-8 cannot be joined to a path here; such files are few.
            let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
            guard status.isDirectory || status.isRegular, let text = String(validating: bytes, as: UTF8.self) else {
                continue
            }
            if status.isDirectory {
                try visit("\(path)/\(text)", &seen, body)
            } else if status.size >= minimumSize, status.allocatedSize > 0,
                status.linkCount == 1 || seen.insert(FileIdentity(status)).inserted
            {
                body("\(path)/\(text)", status)
            }
        }
    }

    private func digest(of path: String) throws(StoreError) -> Digest? {
        try attempting("read \(path)") { () throws(Errno) in
            let file = try FileDescriptor.open(path, [.noFollow, .noAccessTime])
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { buffer.deallocate() }
            var hasher = DigestHasher()
            while true {
                let count = try file.read(into: buffer)
                if count == 0 { return hasher.finish() }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    private mutating func share(_ original: String, with copy: String) throws(StoreError) {
        let isDryRun = isDryRun
        let gained: Int64? = try attempting("have \(copy) share the space of \(original)") { () throws(Errno) in
            let source = try FileDescriptor.open(original, [.noFollow])
            let target = try FileDescriptor.open(copy, [.noFollow])
            let status = try target.status()
            if try Deduplication.areShared(source, target, status.size) { return nil }
            // Blocks behind the end, which file systems allocate ahead of writing, are not shared.
            let allocated = status.allocatedSize
            let shared = { (end: Int64) in min((min(end, allocated) + 4095) / 4096 * 4096, allocated) }
            if isDryRun { return shared(status.size) }
            var position: Int64 = 0
            while position < status.size {
                // Btrfs takes no more than this at a time.
                let length = min(status.size - position, 16 << 20)
                let count = try source.shareRange(from: position, length: length, with: target, at: position)
                if count == 0 { break }
                position += count
            }
            return shared(position)
        }
        guard let gained else {
            report.knownCount += 1
            return
        }
        if gained > 0 { report.sharedCount += 1 }
        report.sharedBytes += gained
    }

    /// Whether two files are at the same place on disk already.
    private static func areShared(
        _ one: borrowing FileDescriptor, _ two: borrowing FileDescriptor, _ size: Int64
    ) throws(Errno) -> Bool {
        var position: Int64 = 0
        while position < size {
            let (left, right): (DiskExtent?, DiskExtent?)
            do throws(Errno) {
                (left, right) = (try one.diskExtent(after: position), try two.diskExtent(after: position))
            } catch {
                if error == .EOPNOTSUPP || error == .ENOTTY { return false }
                throw error
            }
            guard left == right else { return false }
            guard let left, let end = Int64(exactly: left.logical &+ left.length), end > position else { return true }
            position = end
        }
        return true
    }

    /// What a file system is called, by its magic number.
    static func name(_ type: UInt64) -> String {
        switch type {
        case 0xEF53: "ext4"
        case 0x5846_5342: "xfs"
        case 0x9123_683E: "btrfs"
        case 0x0102_1994: "tmpfs"
        case 0x794C_7630: "overlay"
        default: "type 0x" + String(type, radix: 16)
        }
    }
}
