import Linux

/// A directory that is kept open.
final class OpenDirectory: Sendable {
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Opens a directory within this one.
    func open(_ name: [CChar]) throws(Errno) -> OpenDirectory {
        OpenDirectory(try descriptor.open(name, [.directory, .noFollow]))
    }

    /// All names, sorted by their bytes, each with its terminating zero; from the start however often it is asked.
    func names() throws(Errno) -> [[CChar]] {
        _ = try descriptor.seek(0, from: .start)
        return try descriptor.sortedEntryNames()
    }
}
