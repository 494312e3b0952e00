import Archive
import Linux
import OCI

/// Writes an archive again from what `RecipeWriter` noted and the tree that it was unpacked to.
///
/// A recipe that is damaged, or a tree that does not fit it, is `corrupt`. What comes out is as good as its digest: the
/// caller compares it with the one that the layer is known by.
struct RecipeReader: ~Copyable {
    private let home: FileDescriptor
    private let tree: FileDescriptor
    private var output: TarOutput<StoreError>
    /// Numbers of displaced files by path, the first displaced first.
    private var displaced: [[UInt8]: [Int]] = [:]

    /// - Parameters:
    ///   - home: the layer's directory, with `fs`, `recipe` and perhaps `displaced`.
    init(home: consuming FileDescriptor, sink: @escaping TarOutput<StoreError>.Sink) throws(StoreError) {
        let tree = try attempting("open a layer") { () throws(Errno) in
            try home.open("fs", [.path, .directory, .noFollow])
        }
        self.home = home
        self.tree = tree
        output = TarOutput(sink: sink)
    }

    /// Writes everything; returns how many bytes that were.
    mutating func run() throws(StoreError) -> Int64 {
        try collectDisplaced()
        let records = try RecipeRecords(home)
        while let record = try records.next() {
            switch record {
            case .literal(let bytes): try output.put(bytes)
            case .zeros(let count): try output.putZeros(count)
            case .content(let path, let offset, let length): try copy(path, offset, length)
            case .displaced(let path, _):
                if displaced[path]?.isEmpty == false { displaced[path]?.removeFirst() }
            }
        }
        try output.flush()
        return output.byteCount
    }

    /// What a path was before it was displaced is known only after the fact.
    private mutating func collectDisplaced() throws(StoreError) {
        guard (try? home.status(of: "displaced")) != nil else { return }
        let records = try RecipeRecords(home)
        while let record = try records.next() {
            if case .displaced(let path, let number) = record { displaced[path, default: []].append(number) }
        }
    }

    private mutating func copy(_ path: [UInt8], _ offset: Int64, _ length: Int64) throws(StoreError) {
        let name = String(decoding: path, as: UTF8.self)
        let file = try content(of: path, name)
        var position = offset
        var left = length
        while left > 0 {
            let count = try output.fill(limit: left) { (buffer) throws(StoreError) in
                do throws(Errno) {
                    return try file.read(into: buffer, at: position)
                } catch {
                    throw RecipeReader.failure(error, name)
                }
            }
            if count == 0 { throw StoreError(.corrupt, "a layer is damaged: its file \(name) is too short") }
            position += Int64(count)
            left -= Int64(count)
        }
    }

    /// The file that a path of the archive led to at this place of it.
    private func content(of path: [UInt8], _ name: String) throws(StoreError) -> FileDescriptor {
        do throws(Errno) {
            if let number = displaced[path]?.first { return try home.open("displaced/\(number)", [.noFollow]) }
            return try RecipeReader.open(path, in: tree)
        } catch {
            throw RecipeReader.failure(error, name)
        }
    }

    /// A layer without the file is damaged; what else keeps it from being read may pass.
    private static func failure(_ error: Errno, _ name: String) -> StoreError {
        switch error {
        case .ENOENT, .ENOTDIR, .ELOOP, .EISDIR, .ENXIO:
            StoreError(.corrupt, "a layer is damaged: it has no file \(name)")
        default: StoreError("read \(name) of a layer", error)
        }
    }

    /// Opens a file by a path that may be longer than the kernel takes; no symbolic link is followed.
    private static func open(_ path: [UInt8], in tree: borrowing FileDescriptor) throws(Errno) -> FileDescriptor {
        if path.count < 4096 {
            return try tree.open(cString(path), [.noFollow, .nonBlocking], resolve: [.beneath, .noSymlinks])
        }
        var components = path.split(separator: UInt8(ascii: "/")).map { cString(Array($0)) }
        guard let name = components.popLast() else { throw .ENOENT }
        var directory = try tree.duplicate()
        for component in components { directory = try directory.open(component, [.path, .directory, .noFollow]) }
        return try directory.open(name, [.noFollow, .nonBlocking])
    }
}

/// The records of a recipe, one after the other.
private final class RecipeRecords {
    enum Record {
        case literal([UInt8])
        case zeros(Int64)
        case content(path: [UInt8], offset: Int64, length: Int64)
        case displaced(path: [UInt8], number: Int)
    }

    private let stream: DecompressedStream
    /// Headers were once written in one piece, whatever their length, which has a limit of 16 MiB.
    private static let longest = 32 << 20

    init(_ home: borrowing FileDescriptor) throws(StoreError) {
        let file = try attempting("open a layer's recipe") { () throws(Errno) in
            try home.open("recipe", [.noFollow])
        }
        let limits = StreamLimits(maximumBytes: .max, maximumRatio: .max)
        let source = FileSource(owning: file)
        stream = try fromArchive { () throws(ArchiveError) in
            try DecompressedStream(source, limits: limits, hashes: false)
        }
        if try read(RecipeWriter.magic.count) != RecipeWriter.magic { throw RecipeRecords.damaged }
    }

    /// The next record; nil at the end.
    func next() throws(StoreError) -> Record? {
        switch try byte() {
        case RecipeWriter.Tag.literal: return .literal(try text())
        case RecipeWriter.Tag.zeros: return .zeros(try number())
        case RecipeWriter.Tag.content: return .content(path: try text(), offset: try number(), length: try number())
        case RecipeWriter.Tag.displaced:
            let path = try text()
            guard let number = Int(exactly: try number()) else { throw RecipeRecords.damaged }
            return .displaced(path: path, number: number)
        case RecipeWriter.Tag.end: return nil
        default: throw RecipeRecords.damaged
        }
    }

    private func read(_ count: Int) throws(StoreError) -> [UInt8] {
        try fromArchive { () throws(ArchiveError) in try stream.read(count) }
    }

    private func byte() throws(StoreError) -> UInt8 {
        guard let byte = try read(1).first else { throw RecipeRecords.damaged }
        return byte
    }

    private func number() throws(StoreError) -> Int64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            let byte = try byte()
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int64(bitPattern: value) }
        }
        throw RecipeRecords.damaged
    }

    private func text() throws(StoreError) -> [UInt8] {
        let length = try number()
        guard length >= 0, length <= RecipeRecords.longest else { throw RecipeRecords.damaged }
        let bytes = try read(Int(length))
        if bytes.count < Int(length) { throw RecipeRecords.damaged }
        return bytes
    }

    private static var damaged: StoreError {
        StoreError(.corrupt, "a layer is damaged: the recipe of its archive cannot be read")
    }
}
