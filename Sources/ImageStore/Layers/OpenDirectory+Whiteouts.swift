import LayerTree
import Linux

/// Whiteouts in an upper directory, which have two forms: kernel documentation, "overlayfs", "Whiteouts and opaque
/// directories". A layer of the store has the first only.
extension OpenDirectory {
    /// Whether a name stands for a whiteout: a character device 0:0, or an empty regular file with the note.
    func isWhiteout(_ name: FileName, _ status: FileStatus, _ marks: OverlayMarks) throws(Errno) -> Bool {
        if status.isWhiteout { return true }
        guard status.isRegular, status.size == 0 else { return false }
        return try openFile(name, .path).attribute(marks.name(.whiteout)) != nil
    }

    /// Puts a character device 0:0 in the place of a file, in one step.
    func makeWhiteoutDevice(_ name: FileName) throws(Errno) {
        let directory = try descriptor.status()
        // A name that no file of a union has; a commit that was cut short may have left it.
        let temporary = WhiteoutName.reserved.withUTF8Buffer { $0.map { CChar(bitPattern: $0) } } + [0]
        if try descriptor.statusIfPresent(of: temporary) != nil { try descriptor.unlink(temporary) }
        try descriptor.makeNode(temporary, mode: FileType.characterDevice.rawValue)
        try descriptor.rename(temporary, to: descriptor, name.cString)
        try descriptor.setTimes(access: directory.accessTime, modification: directory.modificationTime)
    }
}
