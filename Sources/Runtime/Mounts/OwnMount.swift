import ImageStore
import Linux
import OCI

/// A mount that this store made, known well enough to be told from what others mount at the same place.
struct OwnMount {
    /// What the store mounts.
    enum Kind: Hashable {
        /// A union, or a second view of one.
        case union
        /// A directory in memory.
        case memory

        func hasType(_ type: String) -> Bool {
            switch self {
            case .union: type == "fuse" || type.hasPrefix("fuse.")
            case .memory: type == "tmpfs"
            }
        }

        /// What the mount table calls what is mounted; nil for whatever.
        var source: String { self == .union ? MountHelper.name : "tmpfs" }
    }

    /// What was found when something was unmounted.
    enum Outcome {
        case done
        /// It is not mounted any more.
        case nothing
        /// Somebody has files open in it, or works in it: it is out of the tree.
        case inUse
    }

    /// Where it was mounted, absolute.
    var mountPoint: String
    /// Which mount it is; nil for one of which no more is known than its place and its kind.
    var identity: MountIdentity?
    var kind = Kind.union
    /// Whether the file system is still served by the process that was its server: then no other has its device number, and
    /// a copy of the mount, as each mount namespace has one, is as good as the mount.
    var isServed = false
    /// Whether it is looked for elsewhere when it is not in its place: where nothing else can have its identity.
    var isSought = false

    /// Takes the mount out of the tree, and nothing else: not what is mounted over it, nor what a symbolic link in its path
    /// leads to. A directory above it may have been renamed; then it is unmounted where it is now.
    ///
    /// A mount in use is waited for, about a second, and then ends with its last user, or stays.
    ///
    /// - Parameter staysInUse: whether one that is in use stays as it is.
    /// - Throws: `busy` when something else is mounted over it, and when it stays.
    @discardableResult
    func unmount(staysInUse: Bool = false) throws(RuntimeError) -> Outcome {
        guard let found = try find() else { return .nothing }
        for attempt in 0..<40 {
            do throws(Errno) {
                try MountPlace(found.path).unmount(found.identity)
                return .done
            } catch {
                switch error {
                case .EINVAL, .ENOENT, .ENOTDIR, .ELOOP: return .nothing
                case .EBUSY: MonotonicClock.sleep(milliseconds: attempt < 10 ? 2 : 30)
                default: throw RuntimeError("unmount \(found.path)", error)
                }
            }
        }
        if staysInUse {
            throw RuntimeError(
                .busy, "cannot unmount \(found.path): it is in use",
                remedy: "end the processes that work or have files open in it, or detach it with --lazy")
        }
        do throws(Errno) {
            try MountPlace(found.path).detach(found.identity)
        } catch {
            switch error {
            case .EINVAL, .ENOENT, .ENOTDIR, .ELOOP: return .nothing
            default: throw RuntimeError("unmount \(found.path)", error)
            }
        }
        return .inUse
    }

    /// Where the mount is now, and which one it is; nil when there is none.
    private func find() throws(RuntimeError) -> (path: String, identity: MountIdentity)? {
        let possible = MountTable.current().entries.filter { isPossible($0) }
        let devices = Set(possible.map(\.device))
        let places = Set(possible.map(\.mountPoint)).filter { isSought || $0 == mountPoint }
        var isHidden = false
        // Where it was made first, then wherever its file system is.
        for path in [mountPoint] + places.subtracting([mountPoint]).sorted() where places.contains(path) {
            let now: MountIdentity
            do throws(Errno) {
                now = try MountPlace(path).identity()
            } catch {
                isHidden = true
                continue
            }
            if !devices.contains(now.device) {
                isHidden = true
            } else if isThis(now, at: path) {
                return (path, now)
            }
        }
        if isHidden {
            throw RuntimeError(
                .busy, "cannot unmount \(mountPoint): something else is mounted over it",
                remedy: "unmount that first")
        }
        return nil
    }

    /// Whether an entry of the table may be the mount, as far as the table tells.
    private func isPossible(_ entry: MountTable.Entry) -> Bool {
        guard kind.hasType(entry.type) else { return false }
        if let identity { return entry.device == identity.device }
        return entry.mountPoint == mountPoint && entry.source == kind.source
    }

    /// Whether what is seen at a path, a mount of the right file system, is the mount.
    private func isThis(_ now: MountIdentity, at path: String) -> Bool {
        guard let identity else { return true }
        return now.id == identity.id && now.id != 0 || path == mountPoint && (isServed || identity.id == 0)
    }
}

extension OwnMount {
    /// What the catalog knows of.
    init(_ record: MountRecord) {
        self.init(
            mountPoint: record.mountPoint, identity: record.identity, isServed: record.server.isAlive,
            isSought: record.server.isAlive || record.identity?.isUnique == true)
    }
}
