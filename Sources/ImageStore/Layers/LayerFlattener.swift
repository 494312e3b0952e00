import LayerTree
import Linux

/// Turns the upper directory of a union into a layer that means the same on its own: kernel documentation,
/// "overlayfs", "redirect_dir", "metacopy".
///
/// A directory that was renamed refers to its old place in the layers below (`redirect`): what they hold there is
/// written out and the directory made opaque. A file of which only the attributes were changed has its data below
/// (`metacopy`): they are copied. A file with several names of which only some are in the upper directory (`index`) gets
/// the others there too. A whiteout in the form of an attribute becomes a device. Other notes of the overlay are removed, but
/// for opaque marks and whiteouts.
///
/// Only notes of the kind that the store's unions write count; what programs keep under other names is theirs and stays.
/// What notes lead to is looked for name by name beneath the layers' roots.
final class LayerFlattener {
    private let lowerPaths: [String]
    private let indexPath: String?
    private let marks: OverlayMarks
    private var openedRoots: TreeDirectory?
    private var linkedFiles: LinkedFiles?
    private let copier: FileCopier

    /// - Parameters:
    ///   - lowers: the lower directories, top first.
    ///   - index: the union's index of files with several names, if there may be one.
    ///   - marks: how the union kept its notes.
    init(lowers: [String], index: String?, marks: OverlayMarks) {
        lowerPaths = lowers
        indexPath = index
        self.marks = marks
        copier = FileCopier(.own(marks))
    }

    /// Writes out what is needed, in place.
    func flatten(_ path: String) throws(StoreError) {
        try attempting("flatten \(path)") { () throws(Errno) in
            let upper = try OpenDirectory(path: path, .noFollow)
            try readIndex()
            _ = try clean(upper.descriptor)
            try walk(upper, lowerPath: [])
            let incomplete = copier.incomplete
            if !incomplete.isEmpty { try MissingLinks(incomplete, copier).add(to: upper, over: try roots()) }
        }
    }

    /// Makes the files of the index ready to be linked to wherever what they were copied from has a name.
    private func readIndex() throws(Errno) {
        guard let indexPath, try FileDescriptor.currentDirectory.statusIfPresent(of: indexPath) != nil else { return }
        let index = try OpenDirectory(path: indexPath, .noFollow)
        for name in try index.names() {
            guard let status = try index.status(name), !status.isDirectory, !status.isWhiteout else { continue }
            let file = try index.openFile(name, .path)
            guard let original = try OverlayOrigin(of: file, marks: marks)?.identity(near: try roots()) else {
                continue
            }
            try visitFile(name, in: index) { () throws(Errno) in try roots().absent }
            copier.substitute(name, in: index, for: original)
        }
    }

    /// An overlay's notes on a file.
    private struct Notes {
        var isOpaque = false
        var redirect: OverlayRedirect?
        var isMetacopy = false
        /// Unless it is empty and a regular file, this says nothing.
        var isWhiteout = false
    }

    /// Visits an upper directory; `lowerPath` is where the layers below have its other half, nil where it has none.
    private func walk(_ directory: OpenDirectory, lowerPath: [FileName]?) throws(Errno) {
        let (directories, files) = try entries(of: directory)
        for name in files {
            try visitFile(name, in: directory) { () throws(Errno) in
                guard let lowerPath else { return try roots().absent }
                return try roots().descend(lowerPath)
            }
        }
        for name in directories {
            let child = try directory.open(name)
            let notes = try clean(child.descriptor)
            if let redirect = notes.redirect, !notes.isOpaque {
                let lower = try roots().descend(redirect) { () throws(Errno) in
                    try roots().descend(lowerPath ?? [])
                }
                try writeOut(child, over: lower, makesOpaque: true)
            } else {
                try walk(child, lowerPath: notes.isOpaque ? nil : lowerPath.map { $0 + [name] })
            }
        }
    }

    /// Completes an upper directory with what `lower` holds and hides nothing any more.
    private func writeOut(_ directory: OpenDirectory, over lower: TreeDirectory, makesOpaque: Bool) throws(Errno) {
        let status = try directory.descriptor.status()
        let (directories, files) = try entries(of: directory)
        var taken = Set(directories)
        for name in files {
            taken.insert(name)
            if let status = try directory.status(name), try directory.isWhiteout(name, status, marks) {
                try directory.descriptor.unlink(name.cString)
            } else {
                try visitFile(name, in: directory) { () throws(Errno) in lower }
            }
        }
        for name in directories {
            let child = try directory.open(name)
            let notes = try clean(child.descriptor)
            if notes.isOpaque {
                try walk(child, lowerPath: nil)
            } else if let redirect = notes.redirect {
                let below = try roots().descend(redirect) { () throws(Errno) in lower }
                try writeOut(child, over: below, makesOpaque: false)
            } else {
                try writeOut(child, over: try lower.descend([name]), makesOpaque: false)
            }
        }
        for name in try lower.names() where !taken.contains(name) {
            try copy(name, from: lower, to: directory)
        }
        if makesOpaque { try directory.descriptor.setAttribute(marks.name(.opaque), [UInt8(ascii: "y")]) }
        try directory.descriptor.setTimes(access: status.accessTime, modification: status.modificationTime)
    }

    private func copy(_ name: FileName, from lower: TreeDirectory, to directory: OpenDirectory) throws(Errno) {
        guard let entry = try lower.entry(name) else { return }
        guard entry.status.isDirectory else {
            try copier.copyFile(name, entry.status, from: try lower.home(of: entry), to: directory)
            return
        }
        let below = try lower.open(entry)
        try directory.descriptor.makeDirectory(name.cString, mode: 0o700)
        let made = try directory.open(name)
        for child in try below.names() { try copy(child, from: below, to: made) }
        try copier.copyMetadata(of: try below.top().descriptor, to: made.descriptor)
    }

    // MARK: Files

    /// Cleans a file's notes and gives it its data; `lower` is what lies below its directory.
    private func visitFile(
        _ name: FileName, in directory: OpenDirectory, _ lower: () throws(Errno) -> TreeDirectory
    ) throws(Errno) {
        let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        do throws(Errno) {
            if try directory.descriptor.attributeNames(of: name.cString, into: none) == 0 { return }
        } catch {
            if error == .EOPNOTSUPP { return }
            throw error
        }
        let file = try directory.openFile(name, .path)
        let (notes, _) = try self.notes(of: file)
        if notes.isWhiteout, try directory.isWhiteout(name, try file.status(), marks) {
            try directory.makeWhiteoutDevice(name)
            return
        }
        // First the data, then the notes that lead to them: a crash between leaves a file that is still found.
        if notes.isMetacopy {
            try fetchData(name, in: directory, file, notes, OverlayOrigin(of: file, marks: marks), lower)
        }
        _ = try clean(file)
    }

    /// Gives a file of which only the attributes were copied its data.
    private func fetchData(
        _ name: FileName, in directory: OpenDirectory, _ file: borrowing FileDescriptor, _ notes: Notes,
        _ origin: OverlayOrigin?, _ lower: () throws(Errno) -> TreeDirectory
    ) throws(Errno) {
        let (stack, source): (TreeDirectory, FileName) =
            switch notes.redirect {
            case nil: (try lower(), name)
            case .name(let other): (try lower(), FileName(other))
            case .path(let names):
                (try roots().descend(names.dropLast().map { FileName($0) }), FileName(names.last ?? []))
            }
        let before = try file.status()
        let capability = try file.attribute("security.capability")
        let target = try directory.openFile(name, .writeOnly)
        if let found = try stack.entry(source), found.status.isRegular {
            try target.copyContents(of: try stack.openFile(found), size: found.status.size)
        } else if let original = try linkedFile(origin) {
            // A file of the index, which has no place of its own.
            try target.copyContents(of: original, size: try original.status().size)
        } else {
            throw .EIO
        }
        try target.truncate(to: before.size)
        // Writing cleared set-id bits and capabilities, and changed the times.
        try target.setMode(before.permissions)
        if let capability { try target.setAttribute("security.capability", capability) }
        try target.setTimes(access: before.accessTime, modification: before.modificationTime)
        try file.removeAttribute(marks.name(.metacopy))
    }

    /// The file of the layers that an origin names; nil where none of them has it.
    private func linkedFile(_ origin: OverlayOrigin?) throws(Errno) -> FileDescriptor? {
        guard let identity = try origin?.identity(near: try roots()) else { return nil }
        if linkedFiles == nil { linkedFiles = try LinkedFiles(try roots()) }
        return try linkedFiles?.open(identity)
    }

    // MARK: Helpers

    private func roots() throws(Errno) -> TreeDirectory {
        if let openedRoots { return openedRoots }
        let stack = try TreeDirectory(layers: lowerPaths, marks: marks)
        openedRoots = stack
        return stack
    }

    /// Reads an overlay's notes on a file and removes those that mean nothing in a layer.
    private func clean(_ file: borrowing FileDescriptor) throws(Errno) -> Notes {
        let (notes, needless) = try notes(of: file)
        for name in needless { try file.removeAttribute(name) }
        return notes
    }

    /// An overlay's notes on a file, and the names of those that mean nothing in a layer.
    private func notes(of file: borrowing FileDescriptor) throws(Errno) -> (Notes, needless: [[CChar]]) {
        var notes = Notes()
        var needless: [[CChar]] = []
        for name in try file.attributeNames() where marks.isMark(name) {
            // On anything else, or with another value, it means nothing that a union of the store writes.
            if name == marks.name(.opaque), try file.attribute(name) == [UInt8(ascii: "y")],
                try file.status().isDirectory
            {
                notes.isOpaque = true
                continue
            }
            if name == marks.name(.redirect) {
                notes.redirect = try OverlayRedirect(try file.attribute(name) ?? [])
            } else if name == marks.name(.metacopy) {
                notes.isMetacopy = true
            } else if name == marks.name(.whiteout) {
                notes.isWhiteout = true
            }
            needless.append(name)
        }
        return (notes, needless)
    }

    private func entries(of directory: OpenDirectory) throws(Errno) -> (directories: [FileName], files: [FileName]) {
        var (directories, files): ([FileName], [FileName]) = ([], [])
        try directory.descriptor.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            var type = entry.type
            if type == nil { type = try directory.descriptor.status(of: entry.name).type }
            let name = FileName(cString: entry.bytes)
            if type == .directory { directories.append(name) } else { files.append(name) }
            return true
        }
        return (directories, files)
    }
}
