import CArchive
package import Linux

/// Notes while an archive is unpacked what it takes to write the same bytes again: everything that is not the content
/// of a file in the tree, and which contents go in between.
///
/// The file is compressed with Zstandard and holds records, their numbers in LEB128:
/// * `L length bytes`: bytes of the archive as they are (headers, padding, contents that are not in the tree);
/// * `Z count`: that many zeros;
/// * `C length path offset count`: `count` bytes of the file at that path, from `offset` on;
/// * `D length path number`: from here on the path is another file; what `C` said of it so far is in
///   `displaced/<number>` (an archive may hold a name several times);
/// * `E`: the end.
package final class RecipeWriter {
    package static let magic = Array("strata recipe 1\n".utf8)

    /// What a record begins with.
    package enum Tag {
        package static let literal = UInt8(ascii: "L")
        package static let zeros = UInt8(ascii: "Z")
        package static let content = UInt8(ascii: "C")
        package static let displaced = UInt8(ascii: "D")
        package static let end = UInt8(ascii: "E")
    }

    private let archive: OpaquePointer
    private let file: FileDescriptor
    private var pending: [UInt8] = []
    private var output: [UInt8] = []
    /// How many bytes of the archive were described so far.
    package private(set) var position: Int64 = 0
    /// The shape of the archive, as long as it may be the canonical one.
    package private(set) var shape: ArchiveShape? = ArchiveShape()
    private static let chunk = 1 << 16
    /// The longest record of bytes; headers may be longer.
    package static let longestLiteral = 1 << 20

    package init(_ file: consuming FileDescriptor) throws(ArchiveError) {
        guard let archive = archive_write_new() else { throw ArchiveError("note an archive", .ENOMEM) }
        self.archive = archive
        self.file = file
        output = RecipeWriter.magic
        archive_write_add_filter_zstd(archive)
        archive_write_set_filter_option(archive, "zstd", "compression-level", "1")
        archive_write_set_format_raw(archive)
        archive_write_set_bytes_in_last_block(archive, 1)
        try check(archive_write_open_fd(archive, self.file.rawValue))
        let entry = archive_entry_new()
        defer { archive_entry_free(entry) }
        archive_entry_set_filetype(entry, UInt32(FileType.regular.rawValue))
        try check(archive_write_header(archive, entry))
    }

    deinit {
        archive_write_free(archive)
    }

    /// Bytes of the archive that are in no file of the tree.
    package func literal(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        shape?.literal(bytes)
        position += Int64(bytes.count)
        pending.append(contentsOf: bytes)
        if pending.count >= RecipeWriter.chunk { try flushLiteral() }
    }

    /// The same for an array.
    package func literal(_ bytes: [UInt8]) throws(ArchiveError) {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(ArchiveError) in try literal(buffer) }
        }
        try outcome.get()
    }

    /// Bytes of the archive that are in a file of the tree: `length` of them, from `offset` on.
    package func content(of path: [UInt8], offset: Int64, length: Int64) throws(ArchiveError) {
        if length == 0 { return }
        shape?.content(path: path, position: position, offset: offset, length: length)
        position += length
        try flushLiteral()
        output.append(Tag.content)
        putText(path)
        put(offset)
        put(length)
        try flushOutput(RecipeWriter.chunk)
    }

    /// The file at the path gave way to another entry and is kept as `displaced/<number>`.
    package func displaced(_ path: [UInt8], number: Int) throws(ArchiveError) {
        shape = nil
        try flushLiteral()
        output.append(Tag.displaced)
        putText(path)
        put(Int64(number))
        try flushOutput(RecipeWriter.chunk)
    }

    /// The archive is not the canonical one: nobody is going to ask for its shape.
    package func dropShape() { shape = nil }

    /// Finishes the file.
    package func finish() throws(ArchiveError) {
        try flushLiteral()
        output.append(Tag.end)
        try flushOutput(0)
        try check(archive_write_close(archive))
    }

    // MARK: Records

    private func flushLiteral() throws(ArchiveError) {
        if pending.isEmpty { return }
        // Padding is mostly zeros, and so is the end of every archive.
        let zeros = pending.reversed().prefix { $0 == 0 }.count
        if zeros >= 64 { pending.removeLast(zeros) }
        var rest = pending[...]
        while !rest.isEmpty {
            output.append(Tag.literal)
            putText(rest.prefix(RecipeWriter.longestLiteral))
            rest = rest.dropFirst(RecipeWriter.longestLiteral)
            try flushOutput(RecipeWriter.chunk)
        }
        if zeros >= 64 {
            output.append(Tag.zeros)
            put(Int64(zeros))
        }
        pending.removeAll(keepingCapacity: true)
        try flushOutput(RecipeWriter.chunk)
    }

    private func putText(_ bytes: some Collection<UInt8>) {
        put(Int64(bytes.count))
        output.append(contentsOf: bytes)
    }

    private func put(_ number: Int64) {
        var rest = UInt64(bitPattern: number)
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }

    private func flushOutput(_ threshold: Int) throws(ArchiveError) {
        if output.count <= threshold { return }
        let written = output.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        if written != output.count { throw failure() }
        output.removeAll(keepingCapacity: true)
    }

    private func check(_ result: Int32) throws(ArchiveError) {
        if result != ARCHIVE_OK && result != ARCHIVE_WARN { throw failure() }
    }

    private func failure() -> ArchiveError {
        let number = archive_errno(archive)
        return ArchiveError(
            "note how a layer's archive was made", Errno(rawValue: number > 0 ? number : Errno.EIO.rawValue))
    }
}
