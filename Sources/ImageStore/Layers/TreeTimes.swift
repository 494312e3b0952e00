import LayerTree
import Linux

/// Sets back the times of a tree's files that are later than a limit. Whiteouts have none that an archive would keep.
struct TreeTimes {
    let limit: TimeSpec

    private func isLater(_ status: FileStatus) -> Bool {
        let time = status.modificationTime
        return (time.seconds, time.nanoseconds) > (limit.seconds, limit.nanoseconds)
    }

    /// Whether anything below a directory is later.
    func isNeeded(in directory: OpenDirectory) throws(Errno) -> Bool {
        for name in try directory.names() {
            guard let status = try directory.status(name), !status.isWhiteout else { continue }
            if isLater(status) { return true }
            if status.isDirectory, try isNeeded(in: try directory.open(name)) { return true }
        }
        return false
    }

    /// Sets back what is later below a directory.
    func apply(to directory: OpenDirectory) throws(Errno) {
        for name in try directory.names() {
            guard let status = try directory.status(name), !status.isWhiteout else { continue }
            if status.isDirectory { try apply(to: try directory.open(name)) }
            guard isLater(status) else { continue }
            try directory.descriptor.setTimes(of: name.cString, access: limit, modification: limit)
        }
    }
}
