import ImageStore
import LayerTree
import Linux
import OCI

extension ImageStore {
    /// The tree of a file that is an archive, unpacked in the store; nil if it is none, such as a single file that is
    /// compressed.
    func unpacked(_ source: SelectedSource) throws(BuildError) -> SourceTree? {
        guard let entry = source.location.entry, entry.status.isRegular else { return nil }
        let text = TreePath.text(source.location.path)
        let file = try attempting("read \(text)") { () throws(Errno) in try source.location.parent.openFile(entry) }
        guard try attempting("read \(text)", { () throws(Errno) in try ArchiveSniffer.mayBeArchive(file) }) else {
            return nil
        }
        let layer: LayerRecord
        do throws(StoreError) {
            layer = try importLayer(from: file, options: ImportOptions(kind: .files))
        } catch {
            if error.code == .badArchive {
                // Something compressed that is no tar archive is a file like any other, unless it calls itself one.
                if !ArchiveSniffer.isNamedLikeArchive(source.name.text) { return nil }
                throw BuildError(.badArchive, "cannot unpack \(text): \(error.message)")
            }
            throw BuildError(error)
        }
        let path = layerPath(layer.id)
        let root = try attempting("open \(path)") { () throws(Errno) in
            try TreeDirectory(layers: [path], marks: marks)
        }
        return SourceTree(root: root, isContext: false)
    }
}

/// Tells archives by their first bytes.
enum ArchiveSniffer {
    /// Whether a file begins like a tar archive or like something compressed. The position stays at the start.
    static func mayBeArchive(_ file: borrowing FileDescriptor) throws(Errno) -> Bool {
        var head: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 16)
        defer { buffer.deallocate() }
        head.append(contentsOf: buffer[..<(try file.read(into: buffer, at: 0))])
        let marks: [[UInt8]] = [
            [0x1f, 0x8b], Array("BZh".utf8), [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], [0x28, 0xb5, 0x2f, 0xfd],
        ]
        return marks.contains { head.starts(with: $0) } || isTarHeader(head)
    }

    /// Whether a file's name promises a tar archive.
    static func isNamedLikeArchive(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.contains(".tar.")
            || [".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst"].contains { name.hasSuffix($0) }
    }

    /// Whether a block is a tar header: its checksum fits. pax, "ustar Interchange Format".
    private static func isTarHeader(_ block: [UInt8]) -> Bool {
        guard block.count == 512, let first = block.first, first != 0 else { return false }
        var sum = 0
        for (index, byte) in block.enumerated() {
            sum += (148..<156).contains(index) ? 0x20 : Int(byte)
        }
        let digits = block[148..<156].drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        guard !digits.isEmpty else { return false }
        return digits.reduce(0) { $0 * 8 + Int($1 - 0x30) } == sum
    }
}
