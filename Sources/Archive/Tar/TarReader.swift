import Linux
package import OCI

/// Reads the entries of a tar archive in order: v7, ustar, pax, GNU and star, files with holes included.
///
/// Nothing of the input is trusted: whatever it holds, the outcome is an entry or `badArchive`.
package final class TarReader {
    /// More than any extended header needs: the kernel takes attributes of 64 KiB.
    private static let maximumHeaderSize: Int64 = 16 << 20
    /// More pieces than any file with holes is stored in.
    private static let maximumExtents = 1 << 20

    private let stream: DecompressedStream
    private var global = PaxAttributes()
    /// Bytes of the current entry's content not read yet, and of the padding after it.
    private var contentLeft: Int64 = 0
    private var padding: Int64 = 0
    /// How many entries came so far.
    package private(set) var entryCount = 0
    private let maximumEntries: Int
    private let allowsNothing: Bool
    /// Takes down everything that is not handed out as content of a file.
    private let recipe: RecipeWriter?
    /// The header blocks of the entry that came last, extended ones included, while the recipe has a shape.
    package private(set) var rawHeaders: [UInt8] = []

    /// - Parameters:
    ///   - maximumEntries: how many entries are accepted.
    ///   - allowsNothing: whether no bytes at all are an archive without entries.
    ///   - recipe: what takes down how the archive was made.
    package init(
        _ stream: DecompressedStream, maximumEntries: Int, allowsNothing: Bool = false, recipe: RecipeWriter? = nil
    ) {
        self.stream = stream
        self.allowsNothing = allowsNothing
        self.maximumEntries = maximumEntries
        self.recipe = recipe
    }

    /// The next entry; nil at the end of the archive. What was not read of the content before is passed over.
    package func next() throws(ArchiveError) -> TarEntry? {
        try skip(contentLeft)
        try skip(padding)
        (contentLeft, padding) = (0, 0)
        rawHeaders.removeAll(keepingCapacity: true)
        var pax = global
        var (longName, longLink): ([UInt8]?, [UInt8]?)
        let start = stream.position
        while let header = try nextHeader() {
            if stream.position - start > TarReader.maximumHeaderSize { throw bad("extended headers without end") }
            switch header.typeFlag {
            case UInt8(ascii: "x"), UInt8(ascii: "X"): try read(try headerContent(header), into: &pax)
            case UInt8(ascii: "g"):
                try read(try headerContent(header), into: &global)
                pax = global
            case UInt8(ascii: "L"): longName = Array(try headerContent(header).prefix { $0 != 0 })
            case UInt8(ascii: "K"): longLink = Array(try headerContent(header).prefix { $0 != 0 })
            case UInt8(ascii: "V"): try skip(padded(header.size ?? 0))
            default:
                entryCount += 1
                if entryCount > maximumEntries { throw bad("it has more than \(maximumEntries) entries") }
                return try entry(header, pax, longName: longName, longLink: longLink)
            }
        }
        if longName != nil || longLink != nil { throw bad("it ends in the middle of an entry") }
        if stream.position == 0, !allowsNothing { throw bad("it is empty") }
        return nil
    }

    /// The content of the entry that the reader is at, piece by piece.
    ///
    /// - Parameter path: where the recipe is to find the content again, in the tree.
    package func content(of entry: TarEntry, keptAt path: [UInt8] = []) -> Content {
        Content(
            reader: self, entry: entry, path: path,
            extents: (entry.extents ?? [TarEntry.Extent(offset: 0, length: entry.storedSize)])[...])
    }

    /// What is left of an entry's content.
    package struct Content {
        fileprivate let reader: TarReader
        fileprivate let entry: TarEntry
        fileprivate let path: [UInt8]
        /// Those that are not begun.
        fileprivate var extents: ArraySlice<TarEntry.Extent>
        /// The rest of the one that is.
        private var current = TarEntry.Extent(offset: 0, length: 0)

        fileprivate init(reader: TarReader, entry: TarEntry, path: [UInt8], extents: ArraySlice<TarEntry.Extent>) {
            self.reader = reader
            self.entry = entry
            self.path = path
            self.extents = extents
        }

        /// The next piece with its offset in the file, valid until the next call; nil at the end.
        package mutating func next() throws(ArchiveError) -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
            while current.length == 0 {
                guard let extent = extents.popFirst() else { return nil }
                try reader.recipe?.content(of: path, offset: extent.offset, length: extent.length)
                current = extent
            }
            let piece = try reader.stream.next(Int(min(current.length, reader.contentLeft, 1 << 20)))
            if piece.isEmpty { throw reader.bad("it ends in the middle of \(entry.printablePath)") }
            reader.contentLeft -= Int64(piece.count)
            defer {
                current.offset += Int64(piece.count)
                current.length -= Int64(piece.count)
            }
            return (current.offset, piece)
        }
    }

    /// The next bytes of the current entry's content as they are stored; empty at its end.
    package func nextPiece(_ limit: Int) throws(ArchiveError) -> UnsafeRawBufferPointer {
        if contentLeft == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let piece = try stream.next(Int(min(contentLeft, Int64(limit))))
        if piece.isEmpty { throw bad("it ends in the middle of an entry") }
        contentLeft -= Int64(piece.count)
        return piece
    }

    /// Reads what follows the last entry; returns the digest of the whole stream.
    @discardableResult
    package func finish() throws(ArchiveError) -> Digest {
        while true {
            let piece = try stream.next(1 << 20)
            if piece.isEmpty { return try stream.finish() }
            try recipe?.literal(piece)
        }
    }

    // MARK: Headers

    private func nextHeader() throws(ArchiveError) -> TarHeader? {
        let block = try take(TarHeader.size)
        if block.isEmpty { return nil }
        if block.count < TarHeader.size { throw bad("it is truncated") }
        if let header = TarHeader(block) { return header }
        if block.allSatisfy({ $0 == 0 }) { return nil }
        throw bad(entryCount == 0 ? "it is not a tar archive" : "an entry's header is damaged")
    }

    private func headerContent(_ header: TarHeader) throws(ArchiveError) -> [UInt8] {
        guard let size = header.size, (0...TarReader.maximumHeaderSize).contains(size) else {
            throw bad("an extended header is too large")
        }
        let content = try take(Int(size))
        if content.count < Int(size) { throw bad("it is truncated") }
        try skip(padded(size) - size)
        return content
    }

    private func read(_ content: [UInt8], into pax: inout PaxAttributes) throws(ArchiveError) {
        if pax.read(content) { return }
        throw bad(
            pax.hasTooManyAttributes
                ? "an entry has more than \(PaxAttributes.maximumAttributes) extended attributes"
                : "an extended header is malformed")
    }

    private func entry(
        _ header: TarHeader, _ pax: PaxAttributes, longName: [UInt8]?, longLink: [UInt8]?
    ) throws(ArchiveError) -> TarEntry {
        let path = pax.sparse.name ?? pax.path ?? longName ?? header.name
        let name = String(decoding: path.prefix(200), as: UTF8.self)
        guard !path.isEmpty, !path.contains(0) else { throw bad("an entry has no name, or one with a zero byte") }
        guard var kind = TarReader.kind(header.typeFlag) else {
            throw bad("\(name) is of the unknown type '\(Character(UnicodeScalar(header.typeFlag)))'")
        }
        if kind == .file, path.last == UInt8(ascii: "/") { kind = .directory }
        guard let mode = header.mode, let uid = pax.uid ?? header.uid, let gid = pax.gid ?? header.gid,
            let seconds = pax.modificationTime?.seconds ?? header.modificationTime,
            let storedSize = pax.size ?? header.size, storedSize >= 0, storedSize < 1 << 60,
            let owner = UInt32(exactly: uid), let group = UInt32(exactly: gid)
        else { throw bad("the header of \(name) holds an impossible number") }
        var entry = TarEntry(
            kind: kind, path: path, target: pax.linkPath ?? longLink ?? header.linkName,
            permissions: UInt32(truncatingIfNeeded: mode) & 0o7777, uid: owner, gid: group,
            modificationTime: TimeSpec(seconds: seconds, nanoseconds: pax.modificationTime?.nanoseconds ?? 0),
            size: 0, storedSize: 0, extents: nil, deviceMajor: 0, deviceMinor: 0, attributes: pax.allAttributes)
        switch kind {
        case .file:
            (contentLeft, padding) = (storedSize, padded(storedSize) - storedSize)
            (entry.size, entry.storedSize) = (storedSize, storedSize)
            try readSparseMap(header, pax.sparse, into: &entry)
        case .hardLink:
            // ustar and older wrote the file's size without its content; in a pax archive the content follows.
            let hasContent = pax.size != nil
            (contentLeft, padding) = hasContent ? (storedSize, padded(storedSize) - storedSize) : (0, 0)
        case .characterDevice, .blockDevice:
            guard let major = UInt32(exactly: pax.deviceMajor ?? header.deviceMajor ?? -1),
                let minor = UInt32(exactly: pax.deviceMinor ?? header.deviceMinor ?? -1)
            else { throw bad("the device number of \(name) is malformed") }
            (entry.deviceMajor, entry.deviceMinor) = (major, minor)
        case .directory:
            // GNU's incremental archives list a directory's names as its content.
            if header.typeFlag == UInt8(ascii: "D") {
                (contentLeft, padding) = (storedSize, padded(storedSize) - storedSize)
            }
        case .symbolicLink, .fifo: break
        }
        if kind == .symbolicLink || kind == .hardLink, entry.target.isEmpty || entry.target.contains(0) {
            throw bad("the link \(name) leads nowhere")
        }
        return entry
    }

    private static func kind(_ flag: UInt8) -> TarEntry.Kind? {
        switch flag {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"), UInt8(ascii: "S"): .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symbolicLink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"), UInt8(ascii: "D"): .directory
        case UInt8(ascii: "6"): .fifo
        default: nil
        }
    }

    // MARK: Holes

    private func readSparseMap(
        _ header: TarHeader, _ pax: PaxAttributes.Sparse, into entry: inout TarEntry
    ) throws(ArchiveError) {
        var extents: [TarEntry.Extent]
        let size: Int64
        if header.typeFlag == UInt8(ascii: "S") {
            guard var map = header.gnuSparse else { throw badMap(entry) }
            size = map.size
            extents = map.extents
            while map.isExtended {
                guard let more = TarHeader.gnuExtension(try take(TarHeader.size)) else { throw badMap(entry) }
                extents += more.extents
                guard extents.count <= TarReader.maximumExtents else { throw badMap(entry) }
                map.isExtended = more.isExtended
            }
        } else if pax.isPresent {
            guard let realSize = pax.size else { throw badMap(entry) }
            size = realSize
            extents = pax.major >= 1 ? try readLeadingMap(entry) : pax.extents
        } else {
            return
        }
        var end: Int64 = 0
        var total: Int64 = 0
        for extent in extents {
            guard extent.length >= 0, extent.offset >= end, extent.length <= size, extent.offset <= size - extent.length
            else { throw badMap(entry) }
            end = extent.offset + extent.length
            total += extent.length
        }
        guard total == contentLeft else { throw badMap(entry) }
        entry.size = size
        entry.storedSize = total
        entry.extents = extents
    }

    /// Version 1.0 has the map in front of the content: decimal numbers, one a line, up to a full block.
    private func readLeadingMap(_ entry: TarEntry) throws(ArchiveError) -> [TarEntry.Extent] {
        var text: [UInt8] = []
        var numbers: [Int64] = []
        var wanted = 1
        while numbers.count < wanted {
            guard contentLeft >= Int64(TarHeader.size) else { throw badMap(entry) }
            let block = try take(TarHeader.size)
            guard block.count == TarHeader.size else { throw badMap(entry) }
            contentLeft -= Int64(TarHeader.size)
            for byte in block where numbers.count < wanted {
                if byte != 0x0A {
                    guard text.count < Pax.maximumDigits else { throw badMap(entry) }
                    text.append(byte)
                    continue
                }
                guard let number = Pax.integer(text) else { throw badMap(entry) }
                text = []
                numbers.append(number)
                if numbers.count == 1 {
                    guard number <= TarReader.maximumExtents else { throw badMap(entry) }
                    wanted = 1 + 2 * Int(number)
                }
            }
        }
        return stride(from: 1, to: wanted, by: 2).map {
            TarEntry.Extent(offset: numbers[$0], length: numbers[$0 + 1])
        }
    }

    // MARK: Helpers

    /// Bytes that are no content, fewer than asked for only at the end.
    private func take(_ count: Int) throws(ArchiveError) -> [UInt8] {
        let bytes = try stream.read(count)
        if let recipe {
            if recipe.shape != nil { rawHeaders += bytes }
            try recipe.literal(bytes)
        }
        return bytes
    }

    private func skip(_ count: Int64) throws(ArchiveError) {
        var left = count
        while left > 0 {
            let piece = try stream.next(Int(min(left, 1 << 20)))
            if piece.isEmpty { throw bad("it is truncated") }
            if let recipe {
                if recipe.shape != nil, left <= 512 { rawHeaders += piece }
                try recipe.literal(piece)
            }
            left -= Int64(piece.count)
        }
    }

    /// Content is followed by zeros up to a full block.
    private func padded(_ size: Int64) -> Int64 { (max(size, 0) &+ 511) & ~511 }

    private func bad(_ why: String) -> ArchiveError { ArchiveError(.badArchive, "the archive cannot be used: \(why)") }

    private func badMap(_ entry: TarEntry) -> ArchiveError {
        bad("the map of holes of \(entry.printablePath) is malformed")
    }
}
