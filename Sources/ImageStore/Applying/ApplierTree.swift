import Archive
import Linux

/// A directory that entries go into.
final class ApplierDirectory {
    let descriptor: FileDescriptor
    /// Where it is in the tree, symbolic links resolved, with a slash at the end; empty for the root.
    let path: [UInt8]

    init(_ descriptor: consuming FileDescriptor, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Where something in it is, by a name with a terminating zero.
    func path(of name: [CChar]) -> [UInt8] { path + name.dropLast().map { UInt8(bitPattern: $0) } }
}

/// Finds directories inside the tree that is being unpacked.
final class ApplierTree {
    private let rootDirectory: ApplierDirectory
    /// Directories that entries went into lately: entries come mostly grouped by directory.
    private var parents: [[CChar]: ApplierDirectory] = [:]
    private static let maximumParents = 64

    init(root: consuming FileDescriptor) { rootDirectory = ApplierDirectory(root, path: []) }

    func root(for entry: TarEntry) throws(StoreError) -> ApplierDirectory { rootDirectory }

    /// The directory that a path's last component is in; missing ones on the way are made, as archives need not list
    /// them.
    func parent(of path: ArchivePath, for entry: TarEntry) throws(StoreError) -> ApplierDirectory {
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
                    try directory.descriptor.makeDirectory(component, exactMode: 0o755)
                    directory = try open(soFar.path)
                }
            }
            return directory
        }
    }

    /// A directory by its path with a terminating zero, resolved within the tree.
    func open(_ path: [CChar]) throws(Errno) -> ApplierDirectory {
        if path.count <= 1 { return rootDirectory }
        if let known = parents[path] { return known }
        let directory = try resolve(path)
        if parents.count >= ApplierTree.maximumParents { parents.removeAll(keepingCapacity: true) }
        parents[path] = directory
        return directory
    }

    /// Forgets what paths lead to, because a directory was removed.
    func forgetParents() { parents.removeAll() }

    private func resolve(_ path: [CChar]) throws(Errno) -> ApplierDirectory {
        let text = path.dropLast().map { UInt8(bitPattern: $0) } + [UInt8(ascii: "/")]
        if path.count > 4096 {
            // Longer than the kernel takes: one component at a time, and no symbolic links.
            var directory = try rootDirectory.descriptor.duplicate()
            for component in path.dropLast().split(separator: CChar(bitPattern: UInt8(ascii: "/"))) {
                directory = try directory.open(Array(component) + [0], [.path, .directory, .noFollow])
            }
            return ApplierDirectory(directory, path: text)
        }
        do throws(Errno) {
            return ApplierDirectory(
                try rootDirectory.descriptor.open(path, [.path, .directory], resolve: [.inRoot, .noSymlinks]),
                path: text)
        } catch {
            if error != .ELOOP { throw error }
        }
        let directory = try rootDirectory.descriptor.open(
            path, [.path, .directory], resolve: [.inRoot, .noMagicLinks])
        let place = try realPath(of: directory)
        return ApplierDirectory(directory, path: place)
    }

    /// The path of a directory that symbolic links led to, as the kernel has it.
    private func realPath(of directory: borrowing FileDescriptor) throws(Errno) -> [UInt8] {
        func path(_ descriptor: borrowing FileDescriptor) throws(Errno) -> [UInt8] {
            try descriptor.withProcPath { (link: UnsafePointer<CChar>) throws(Errno) in
                try FileDescriptor.currentDirectory.readLink(link)
            }
        }
        let root = try path(rootDirectory.descriptor)
        let full = try path(directory)
        guard full.starts(with: root) else { throw .EXDEV }
        let rest = full.dropFirst(root.count).drop { $0 == UInt8(ascii: "/") }
        return rest.isEmpty ? [] : Array(rest) + [UInt8(ascii: "/")]
    }
}
