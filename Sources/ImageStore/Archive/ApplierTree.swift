import Linux

/// Finds directories inside the tree that is being unpacked.
final class ApplierTree {
    private let rootDirectory: OpenDirectory
    /// Directories that entries went into lately: entries come mostly grouped by directory.
    private var parents: [[CChar]: OpenDirectory] = [:]
    private static let maximumParents = 64

    init(root: consuming FileDescriptor) { rootDirectory = OpenDirectory(root) }

    func root(for entry: TarEntry) throws(StoreError) -> OpenDirectory { rootDirectory }

    /// The directory that a path's last component is in; missing ones on the way are made, as archives need not list
    /// them.
    func parent(of path: ArchivePath, for entry: TarEntry) throws(StoreError) -> OpenDirectory {
        try on(entry) { () throws(Errno) in
            do throws(Errno) {
                return try open(path.parent)
            } catch {
                if error != .ENOENT { throw error }
            }
            var directory = rootDirectory
            var soFar = ArchivePath.root
            for component in path.components.dropLast() {
                soFar.components.append(component)
                do throws(Errno) {
                    directory = try open(soFar.path)
                } catch {
                    if error != .ENOENT { throw error }
                    // EEXIST: a symbolic link that leads nowhere.
                    try directory.descriptor.makeDirectory(component, mode: 0o755)
                    directory = try open(soFar.path)
                }
            }
            return directory
        }
    }

    /// A directory by its path with a terminating zero, resolved within the tree.
    func open(_ path: [CChar]) throws(Errno) -> OpenDirectory {
        if path.count <= 1 { return rootDirectory }
        if let known = parents[path] { return known }
        let directory = OpenDirectory(try resolve(path))
        if parents.count >= ApplierTree.maximumParents { parents.removeAll(keepingCapacity: true) }
        parents[path] = directory
        return directory
    }

    /// Forgets what paths lead to, because a directory was removed.
    func forgetParents() { parents.removeAll() }

    private func resolve(_ path: [CChar]) throws(Errno) -> FileDescriptor {
        if path.count <= 4096 {
            return try rootDirectory.descriptor.open(
                path, [.path, .directory], resolve: [.inRoot, .noMagicLinks])
        }
        // Longer than the kernel takes: one component at a time, and no symbolic links.
        var directory = try rootDirectory.descriptor.duplicate()
        for component in path.dropLast().split(separator: CChar(bitPattern: UInt8(ascii: "/"))) {
            directory = try directory.open(Array(component) + [0], [.path, .directory, .noFollow])
        }
        return directory
    }
}
