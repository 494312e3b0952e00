public import Linux

/// A directory as a stack of layers shows it without a mount: what they hold under one path, top first. The upper entry
/// wins; directories merge until a whiteout or an opaque one.
public struct LowerStack: Sendable {
    /// The directories that are merged, top first; none where the layers have no such directory.
    public private(set) var directories: [OpenDirectory]
    /// How the overlay that wrote them keeps its notes.
    public let marks: OverlayMarks

    /// The roots of layers, top first.
    public init(roots: [String], marks: OverlayMarks) throws(Errno) {
        directories = []
        self.marks = marks
        for path in roots { directories.append(OpenDirectory(try FileDescriptor.open(path, [.directory]))) }
    }

    private init(_ directories: [OpenDirectory], marks: OverlayMarks) {
        self.directories = directories
        self.marks = marks
    }

    /// A directory of that stack that is in none of the layers.
    var empty: LowerStack { LowerStack([], marks: marks) }

    /// What the layers hold under a name.
    public enum Child {
        /// Nothing, or a whiteout comes first.
        case none
        /// Anything but a directory, and where it is.
        case file(FileStatus, in: OpenDirectory)
        /// A directory.
        case directory(LowerStack)
    }

    /// What the layers hold under a name, which comes with its terminating zero.
    public func child(_ name: [CChar]) throws(Errno) -> Child {
        var found: [OpenDirectory] = []
        for directory in directories {
            guard let status = try directory.descriptor.statusIfPresent(of: name) else { continue }
            if status.isWhiteout { break }
            guard status.isDirectory else {
                if found.isEmpty { return .file(status, in: directory) }
                break
            }
            let opened = try directory.open(name)
            found.append(opened)
            if try AttributeReader(marks: marks).attributes(of: opened.descriptor).isOpaque { break }
        }
        return found.isEmpty ? .none : .directory(LowerStack(found, marks: marks))
    }

    /// The directory under a path of components; empty where there is none.
    func descend(_ path: [[CChar]]) throws(Errno) -> LowerStack {
        var stack = self
        for component in path {
            guard case .directory(let next) = try stack.child(component) else { return empty }
            stack = next
        }
        return stack
    }

    /// Where a redirect of a directory leads: from the top of the whole stack, or beside the directory's own lower half.
    ///
    /// - Parameter parent: what lies below the directory that it is in.
    func descend(
        _ redirect: OverlayRedirect, from parent: () throws(Errno) -> LowerStack
    ) throws(Errno) -> LowerStack {
        switch redirect {
        case .name(let name): try parent().descend([cString(name)])
        case .path(let names): try descend(names.map(cString))
        }
    }

    /// All names that any of the directories holds, sorted; some may be hidden.
    func names() throws(Errno) -> [[CChar]] {
        var all: Set<[CChar]> = []
        for directory in directories { all.formUnion(try directory.names()) }
        return all.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
