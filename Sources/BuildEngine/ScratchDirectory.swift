import ImageStore
import Linux

/// A directory in the store's `tmp/` for a layer that is being written, removed when the value goes.
///
/// It follows the rule of that place: its maker holds a lock on it, so that the store can tell it from what a dead
/// process left behind.
final class ScratchDirectory {
    /// The directory's path.
    let path: String
    private let lock: FileDescriptor

    /// Makes a directory in a store.
    init(in store: ImageStore) throws(BuildError) {
        let parent = store.root + "/tmp"
        let path = "\(parent)/build-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        self.path = path
        lock = try attempting("create \(path)") { () throws(Errno) in
            // Shared with other makers, exclusive for the sweeper, which so never sees a directory without its lock.
            let gate = try FileDescriptor.open(parent, [.directory])
            _ = try gate.lock(exclusive: false)
            try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o700)
            let directory = try FileDescriptor.open(path, [.directory, .noFollow])
            _ = try directory.lock(exclusive: true)
            return directory
        }
    }

    deinit { try? FileDescriptor.currentDirectory.removeTree(path) }

    /// Makes a directory in it and returns its path.
    func makeDirectory(_ name: String) throws(BuildError) -> String {
        let directory = "\(path)/\(name)"
        try attempting("create \(directory)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o755)
        }
        return directory
    }
}
