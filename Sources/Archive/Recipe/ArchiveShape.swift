import Linux
import OCI

/// What an archive is apart from the contents of its files: the digest of everything else, and of where the contents
/// go. Two archives of one tree are the same when their shapes are.
package struct ArchiveShape {
    private var literals = DigestHasher()
    private var contents = DigestHasher()

    /// What tells one shape from another.
    package struct Value: Hashable {
        var literals: Digest
        var contents: Digest
    }

    /// The shape of nothing.
    package init() {}

    /// Bytes that are no file's content.
    package mutating func literal(_ bytes: UnsafeRawBufferPointer) { literals.update(bytes) }

    /// The content of a file.
    ///
    /// - Parameters:
    ///   - path: the path in the tree, without a slash in front.
    ///   - position: where in the archive it begins.
    ///   - offset: where in the file it begins.
    package mutating func content(path: [UInt8], position: Int64, offset: Int64, length: Int64) {
        contents.update(path)
        var numbers = (UInt8(0), position.littleEndian, offset.littleEndian, length.littleEndian)
        withUnsafeBytes(of: &numbers.1) { contents.update($0) }
        withUnsafeBytes(of: &numbers.2) { contents.update($0) }
        withUnsafeBytes(of: &numbers.3) { contents.update($0) }
        contents.update([0])
    }

    /// The shape of all that was given so far.
    package var value: Value { Value(literals: literals.finish(), contents: contents.finish()) }
}
