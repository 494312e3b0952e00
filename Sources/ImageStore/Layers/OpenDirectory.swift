public import Linux

/// A directory that is kept open.
///
/// Everything in it is opened by a single name and beneath it, never through a link: whoever moves things about
/// meanwhile leads nobody out.
public final class OpenDirectory: Sendable {
    /// The directory.
    public let descriptor: FileDescriptor

    private static let confined: ResolveFlags = [.beneath, .noSymlinks]

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Opens a directory within this one.
    func open(_ name: [CChar]) throws(Errno) -> OpenDirectory {
        OpenDirectory(try descriptor.open(name, [.directory, .noFollow], resolve: Self.confined))
    }

    /// Opens a file within this directory, for reading unless the flags say otherwise.
    func openFile(_ name: [CChar], _ flags: OpenFlags = .readOnly) throws(Errno) -> FileDescriptor {
        try descriptor.open(name, flags.union(.noFollow), resolve: Self.confined)
    }

    /// All names, sorted by their bytes, each with its terminating zero; from the start however often it is asked.
    func names() throws(Errno) -> [[CChar]] {
        _ = try descriptor.seek(0, from: .start)
        return try descriptor.sortedEntryNames()
    }
}
