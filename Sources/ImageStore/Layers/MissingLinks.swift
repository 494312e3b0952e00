import LayerTree
import Linux

/// Gives files that were copied up through one of several names their other names.
///
/// A union with an index shows the copy under every name that the file has below; a layer has no index, so each of these
/// names becomes a link. To find them all the layers below are walked: that happens only when the index holds a file.
struct MissingLinks {
    private let originals: Set<FileIdentity>
    private let copier: FileCopier

    init(_ originals: Set<FileIdentity>, _ copier: FileCopier) {
        self.originals = originals
        self.copier = copier
    }

    /// Adds the names to a flattened upper directory.
    func add(to upper: OpenDirectory, over lower: TreeDirectory) throws(Errno) {
        try add(lower, upper) { () throws(Errno) in upper }
    }

    /// - Parameters:
    ///   - upper: the upper half of the directory; nil where there is none yet.
    ///   - made: the same, made where it is missing.
    private func add(
        _ lower: TreeDirectory, _ upper: OpenDirectory?, _ made: () throws(Errno) -> OpenDirectory
    ) throws(Errno) {
        var directory = upper
        for name in try lower.names() {
            let above = try directory?.status(name)
            guard let entry = try lower.entry(name) else { continue }
            guard entry.status.isDirectory else {
                guard above == nil, entry.status.linkCount > 1, originals.contains(FileIdentity(entry.status)) else {
                    continue
                }
                let (target, home) = (try made(), try lower.home(of: entry))
                directory = target
                try keepingTimes(of: target) { () throws(Errno) in
                    try copier.copyFile(name, entry.status, from: home, to: target)
                }
                continue
            }
            let below = try lower.open(entry)
            if let above {
                guard above.isDirectory, let child = try directory?.open(name) else { continue }
                if try FileAttributes(of: child.descriptor, marks: lower.marks).isOpaque { continue }
                try add(below, child) { () throws(Errno) in child }
                continue
            }
            var copy: OpenDirectory?
            try add(below, nil) { () throws(Errno) in
                if let copy { return copy }
                let parent = try made()
                directory = parent
                let child = try makeDirectory(name, in: parent, like: below)
                copy = child
                return child
            }
        }
    }

    private func makeDirectory(
        _ name: FileName, in parent: OpenDirectory, like original: TreeDirectory
    ) throws(Errno) -> OpenDirectory {
        try keepingTimes(of: parent) { () throws(Errno) in
            try parent.descriptor.makeDirectory(name.cString, mode: 0o700)
        }
        let made = try parent.open(name)
        try copier.copyMetadata(of: try original.top().descriptor, to: made.descriptor)
        return made
    }

    /// A new name is no change that the union showed.
    private func keepingTimes(of directory: OpenDirectory, _ body: () throws(Errno) -> Void) throws(Errno) {
        let status = try directory.descriptor.status()
        try body()
        try directory.descriptor.setTimes(access: status.accessTime, modification: status.modificationTime)
    }
}
