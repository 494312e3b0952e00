import LayerTree
import Linux

/// Writes a layer that hides what the ignore file leaves out of a context: a whiteout for each file, and the directories
/// on the way with the attributes that they have in the context.
struct ContextMask {
    let tree: SourceTree

    /// Writes the part for a directory; false, and nothing is there, where nothing of it is left out.
    ///
    /// - Parameters:
    ///   - path: of the directory in its tree.
    ///   - source: how many bytes of it lead to the source that is shown.
    ///   - target: the directory's counterpart in the layer, which exists.
    func write(
        _ directory: TreeDirectory, path: [UInt8], source: Int, to target: borrowing FileDescriptor
    ) throws(Errno) -> Bool {
        let kept = Set(try tree.entries(of: directory, path: path, source: source).map(\.entry.name))
        var isNeeded = false
        for entry in try directory.entries() {
            let name = entry.name.cString
            // A socket takes no part in a build, and does no harm.
            if entry.status.type == .socket { continue }
            guard kept.contains(entry.name) else {
                try target.makeNode(name, mode: FileType.characterDevice.rawValue)
                isNeeded = true
                continue
            }
            guard entry.status.isDirectory else { continue }
            try target.makeDirectory(name, mode: 0o755)
            let below = path + (path.isEmpty ? [] : [UInt8(ascii: "/")]) + entry.name.bytes
            let inner = try target.open(name, [.directory, .noFollow])
            if try write(try directory.open(entry), path: below, source: source, to: inner) {
                isNeeded = true
            } else {
                try target.removeTree(name)
            }
        }
        if isNeeded {
            let status = try directory.status()
            try target.setMode(status.permissions)
            try target.setTimes(access: status.accessTime, modification: status.modificationTime)
        }
        return isNeeded
    }
}
