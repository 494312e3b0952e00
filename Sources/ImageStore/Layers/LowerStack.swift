import Linux

/// A directory as the layers below an upper directory show it: what they hold under one path, top first.
struct LowerStack {
    /// The directories that are merged, top first; none where the layers have no such directory.
    var directories: [OpenDirectory]

    /// The roots of layers, top first.
    init(roots: [String]) throws(Errno) {
        directories = []
        for path in roots { directories.append(OpenDirectory(try FileDescriptor.open(path, [.directory]))) }
    }

    private init(_ directories: [OpenDirectory]) { self.directories = directories }

    static let empty = LowerStack([])

    /// What the layers hold under a name.
    enum Child {
        case none
        /// Anything but a directory, and where it is.
        case file(FileStatus, in: OpenDirectory)
        case directory(LowerStack)
    }

    func child(_ name: [CChar]) throws(Errno) -> Child {
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
            if try AttributeReader.attributes(of: opened.descriptor).isOpaque { break }
        }
        return found.isEmpty ? .none : .directory(LowerStack(found))
    }

    /// The directory under a path of components; empty where there is none.
    func descend(_ path: [[CChar]]) throws(Errno) -> LowerStack {
        var stack = self
        for component in path {
            guard case .directory(let next) = try stack.child(component) else { return .empty }
            stack = next
        }
        return stack
    }

    /// All names that any of the directories holds, sorted; some may be hidden.
    func names() throws(Errno) -> [[CChar]] {
        var all: Set<[CChar]> = []
        for directory in directories { all.formUnion(try directory.names()) }
        return all.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
