package import Linux

/// A directory that is kept open.
///
/// Everything in it is opened by a single name and beneath it, never through a link: whoever moves things about
/// meanwhile leads nobody out.
package final class OpenDirectory: Sendable {
    /// The directory.
    package let descriptor: FileDescriptor

    private static let confined: ResolveFlags = [.beneath, .noSymlinks]

    /// Takes a descriptor over.
    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Opens the directory of a path.
    package convenience init(path: String, _ flags: OpenFlags = []) throws(Errno) {
        self.init(try FileDescriptor.open(path, flags.union(.directory)))
    }

    /// Opens a directory within this one.
    package func open(_ name: FileName) throws(Errno) -> OpenDirectory {
        OpenDirectory(try descriptor.open(name.cString, [.directory, .noFollow], resolve: Self.confined))
    }

    /// Opens a file within this directory, for reading unless the flags say otherwise.
    package func openFile(_ name: FileName, _ flags: OpenFlags = .readOnly) throws(Errno) -> FileDescriptor {
        try descriptor.open(name.cString, flags.union(.noFollow), resolve: Self.confined)
    }

    /// What a name says of itself, nil where nothing has it.
    package func status(_ name: FileName) throws(Errno) -> FileStatus? {
        try descriptor.statusIfPresent(of: name.cString)
    }

    /// All names, sorted by their bytes.
    package func names() throws(Errno) -> [FileName] {
        // The position of a descriptor is shared state.
        let stream = try descriptor.open(".", [.directory])
        return try stream.sortedEntryNames().map { FileName(cString: $0) }
    }
}
