import Linux
import OCI

/// The directory of a store: whose it is, and that nobody else may enter it.
///
/// All that keeps others away from images, volumes and the root file systems of containers is the mode of this directory, 0700.
/// It is set right whenever the store is opened, whatever the umask was and whoever has changed it since. The directories in
/// it and the files of the catalog are closed as well, so that it takes two mistakes to open them.
enum StoreDirectory {
    /// Makes the directory and those in it where they are missing, closes them to others, and returns its path: absolute and
    /// without symbolic links, as the mount table has it.
    ///
    /// - Parameter creating: whether a store may be made; else one that is missing is `noSuchStore`.
    static func prepare(_ root: String, creating: Bool) throws(StoreError) -> String {
        if root.isEmpty { throw StoreError(.badName, "the store's directory has no name") }
        var root = root
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        let what = "open the store \(root)"
        if !creating { try requireStore(root) }
        let home = try attempting(what) { () throws(Errno) in
            try FileDescriptor.currentDirectory.makeDirectories(root, mode: 0o700)
            return try FileDescriptor.open(root, .directory)
        }
        try close(home, root)
        for name in ["blobs", "blobs/sha256", "layers", "containers", "tmp"] {
            try attempting(what) { () throws(Errno) in
                try home.makeDirectoryIfMissing(name, mode: 0o700)
            }
            let status = try attempting(what) { () throws(Errno) in
                try home.status(of: name, followSymlinks: true)
            }
            try requireOwn(status, "\(root)/\(name)")
            if isOpen(status) {
                try attempting(what) { () throws(Errno) in try home.setMode(of: name, 0o700) }
            }
        }
        return try attempting(what) { () throws(Errno) in
            let path = try home.withProcPath { (link: UnsafePointer<CChar>) throws(Errno) in
                try FileDescriptor.currentDirectory.readLink(link)
            }
            return String(decoding: path, as: UTF8.self)
        }
    }

    /// Whoever only reads leaves nothing where there is no store.
    private static func requireStore(_ root: String) throws(StoreError) {
        let catalog = try? FileDescriptor.currentDirectory.status(of: root + "/catalog.sqlite", followSymlinks: true)
        let home = try? FileDescriptor.currentDirectory.status(of: root, followSymlinks: true)
        // What cannot be looked into is told when it is opened.
        if catalog != nil || home?.isDirectory == true && home?.uid != Effective.uid { return }
        throw StoreError(
            .noSuchStore, "there is no store in \(root)", remedy: "name another directory with --root or STRATA_ROOT")
    }

    /// Makes the catalog's file where it is missing, and closes it and those that SQLite has beside it, which it makes with
    /// the same mode. The caller has the store's lock.
    static func closeCatalog(_ path: String) throws(StoreError) {
        for name in [path, path + "-wal", path + "-shm"] {
            let status = try attempting("open the catalog \(name)") { () throws(Errno) -> FileStatus? in
                if let status = try FileDescriptor.currentDirectory.statusIfPresent(of: name) { return status }
                // Never opened when it exists: closing it would end SQLite's locks on it.
                if name == path { _ = try FileDescriptor.open(name, [.readWrite, .create, .exclusive], mode: 0o600) }
                return nil
            }
            guard let status else { continue }
            try requireOwn(status, name)
            if !status.isRegular { throw StoreError(.corrupt, "cannot open the catalog: \(name) is not a file") }
            if isOpen(status) {
                try attempting("close \(name) to others") { () throws(Errno) in
                    try FileDescriptor.currentDirectory.setMode(of: name, 0o600)
                }
            }
        }
    }

    /// Closes the store's directory to others. A directory that is in use for something else is refused rather than closed.
    private static func close(_ home: borrowing FileDescriptor, _ root: String) throws(StoreError) {
        let what = "open the store \(root)"
        let status = try attempting(what) { () throws(Errno) in try home.status() }
        try requireOwn(status, root)
        if !isOpen(status) { return }
        let names = try attempting(what) { () throws(Errno) in try home.sortedEntryNames() }.map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let isStore = names.contains("catalog.sqlite") || names.allSatisfy { parts.contains($0) }
        let isSticky = status.permissions & 0o1000 != 0
        guard isStore, !isSticky else {
            throw StoreError(
                .notPermitted, "cannot \(what): it is a directory with other things in it that others may enter",
                remedy: "name a directory that is for the store alone")
        }
        try attempting("close \(root) to others") { () throws(Errno) in
            try home.setMode(0o700)
        }
    }

    /// What may be in a store before it has a catalog.
    private static let parts: Set<String> = ["blobs", "layers", "containers", "tmp", "lost+found"]

    private static func isOpen(_ status: FileStatus) -> Bool { status.permissions & 0o077 != 0 }

    /// `notPermitted` where something is not the caller's: its owner could put there what he likes. In a user namespace the
    /// numbers are those of the namespace, and what belongs to nobody in it is not the caller's either.
    private static func requireOwn(_ status: FileStatus, _ path: String) throws(StoreError) {
        if status.uid == Effective.uid { return }
        throw StoreError(
            .notPermitted, "cannot open the store: \(path) belongs to another user (\(status.uid))",
            remedy: "name a directory of your own with --root or STRATA_ROOT")
    }
}
