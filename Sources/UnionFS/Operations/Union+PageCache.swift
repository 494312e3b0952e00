internal import FUSE
internal import Linux

// Which lower files the kernel reads by itself, as backing files, and which through the mount's own page cache.
//
// The kernel cannot change the backing file of what is open. So a backing file is for what nobody writes while others read
// it: large programs and libraries, which are most of an image's bytes, and of which all mounts then share the pages. Any
// other lower file is read through the page cache of the mount: when it is copied up under its readers, they go on with
// the upper file.
extension Union {
    /// Up to this size in bytes a lower file never has a backing file. What registering one costs, and a GETATTR after
    /// each read (the kernel takes the access time of a backing file to have changed), is more than a second copy of its
    /// pages in each mount that reads it.
    static let smallFile: Int64 = 1 << 16

    /// Up to this size in bytes the content of a file is handed to the kernel when it is opened first.
    private static let storedFile: Int64 = 8192

    /// What is to be known of a lower file before it is opened.
    ///
    /// - Parameter directory: the directory that has the file in the union. The tree lock is held.
    func caching(of status: FileStatus, in directory: Node) -> Node.Flags {
        if status.size <= Self.storedFile { return [.cachingKnown, .cached, .storable] }
        if status.size <= Self.smallFile { return [.cachingKnown, .cached] }
        let isShared = status.mode & 0o111 != 0 || configuration.sharedDirectories.contains(directory)
        return isShared ? .cachingKnown : [.cachingKnown, .cached]
    }

    /// Whether the node's file, which is at `place`, is read through the mount's page cache. The tree lock is held.
    func isCached(_ node: Node, _ place: borrowing Place) throws(Errno) -> Bool {
        if backings == nil || !node.hasDataBelow { return false }
        if !node.flags.contains(.cachingKnown) {
            guard let directory = node.link?.parent else { return false }
            node.set(caching(of: try place.status(), in: directory))
        }
        return node.flags.contains(.cached)
    }

    /// Hands the bytes of a small lower file to the kernel before it asks for them, which saves a round trip. As this is the
    /// first open, no read of the node can be waiting. The node's lock and the tree lock are held.
    func storeSmall(_ node: Node, _ place: borrowing Place) throws(Errno) {
        guard let backings, node.flags.contains(.storable) else { return }
        backings.store(try place.open(.readOnly), size: Int(Self.storedFile), in: node)
        node.set(.stored)
    }
}

/// Top-level directories of a union whose large lower files are read as backing files.
public struct SharedDirectories: Sendable, Equatable {
    /// Their names; one that ends with `*` stands for all that begin so, `/` for all of the union.
    let names: [String]

    /// Where images keep programs and libraries.
    public static let standard = SharedDirectories(["bin", "sbin", "lib*", "usr", "opt", "boot", "nix", "gnu"])

    /// Takes names.
    public init(_ names: [String]) { self.names = names }

    /// Whether a directory is one of them or lies in one. The tree lock is held.
    func contains(_ directory: Node) -> Bool {
        var link = directory.link
        while let current = link, !current.parent.isRoot { link = current.parent.link }
        guard let name = link?.text else { return names.contains("/") }
        return names.contains { matches($0, name) }
    }

    private func matches(_ pattern: String, _ name: Text) -> Bool {
        if pattern == "/" { return true }
        let bytes = Array(pattern.utf8)
        guard bytes.last == UInt8(ascii: "*") else { return name.bytes.elementsEqual(bytes) }
        return name.bytes.starts(with: bytes.dropLast())
    }
}
