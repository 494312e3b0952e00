import Linux

/// A directory under `tmp/` for something unfinished.
///
/// Its maker holds a lock on it, so that whoever opens the store later can tell what a dead process left behind from
/// what a living one is working on. Removed with all its content when the value goes, unless moved away before.
public final class TemporaryDirectory: Sendable {
    /// The directory's path.
    public let path: String
    let descriptor: FileDescriptor
    private let parent: String

    /// Makes and locks a directory in `parent`.
    init(in parent: String) throws(StoreError) {
        let path = "\(parent)/\(RandomName.hex(digits: 16))"
        self.path = path
        self.parent = parent
        descriptor = try attempting("create \(path)") { () throws(Errno) in
            // Shared with other makers, exclusive for the sweeper: it never sees a directory that is not locked yet.
            let gate = try FileDescriptor.open(parent, [.directory])
            _ = try gate.lock(exclusive: false)
            try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o700)
            let directory = try FileDescriptor.open(path, [.directory, .noFollow])
            _ = try directory.lock(exclusive: true)
            return directory
        }
    }

    deinit {
        try? FileDescriptor.currentDirectory.removeTree(path)
    }

    /// Makes a directory (mode 0755) in it and returns its path.
    public func makeDirectory(_ name: String) throws(StoreError) -> String {
        let directory = "\(path)/\(name)"
        try attempting("create \(directory)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.makeDirectory(directory, exactMode: 0o755)
        }
        return directory
    }

    /// Moves a file or a tree in here, to go with this directory; no error where there is none.
    func takeIn(_ path: String) throws(Errno) {
        do throws(Errno) {
            try FileDescriptor.currentDirectory.rename(path, to: descriptor, RandomName.hex(digits: 16))
        } catch {
            if error != .ENOENT { throw error }
        }
    }

    /// Removes what dead processes left in `parent`; returns how many entries that were.
    ///
    /// Does nothing while somebody else is making or sweeping: garbage can wait for the next time.
    @discardableResult
    static func sweep(_ parent: String) throws(StoreError) -> Int {
        try attempting("remove what is left in \(parent)") { () throws(Errno) in
            let gate = try FileDescriptor.open(parent, [.directory])
            let names = try gate.sortedEntryNames()
            if names.isEmpty { return 0 }
            guard try gate.lock(exclusive: true, blocking: false) else { return 0 }
            var removed = 0
            for name in names {
                do throws(Errno) {
                    let entry = try gate.open(name, [.directory, .noFollow])
                    guard try entry.lock(exclusive: true, blocking: false) else { continue }
                } catch {
                    // A stray file, or gone in the meantime.
                    if error != .ENOTDIR && error != .ENOENT && error != .ELOOP { throw error }
                }
                try gate.removeTree(name)
                removed += 1
            }
            return removed
        }
    }

    /// Names of what dead processes left in `parent`.
    static func abandoned(in parent: String) throws(StoreError) -> [String] {
        try attempting("look into \(parent)") { () throws(Errno) in
            let home = try FileDescriptor.open(parent, [.directory])
            // No maker is between making a directory and locking it.
            _ = try home.lock(exclusive: true)
            var names: [String] = []
            for name in try home.sortedEntryNames() {
                if let entry = try? home.open(name, [.directory, .noFollow]),
                    try !entry.lock(exclusive: true, blocking: false)
                {
                    continue
                }
                names.append(String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            return names
        }
    }
}
