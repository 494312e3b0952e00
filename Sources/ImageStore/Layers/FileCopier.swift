import Linux

/// Copies files with everything that belongs to them; files with several names stay so among what is copied.
final class FileCopier {
    private let keepsOverlayAttributes: Bool
    private var copies: [FileIdentity: (directory: OpenDirectory, name: [CChar])] = [:]

    /// - Parameter keepsOverlayAttributes: whether an overlay's notes are copied too.
    init(keepsOverlayAttributes: Bool) { self.keepsOverlayAttributes = keepsOverlayAttributes }

    /// Copies what is in a directory, and all below it.
    func copyChildren(of source: OpenDirectory, to target: OpenDirectory) throws(Errno) {
        for name in try source.descriptor.sortedEntryNames() {
            guard let status = try source.descriptor.statusIfPresent(of: name) else { continue }
            guard status.isDirectory else {
                try copyFile(name, status, from: source, to: target)
                continue
            }
            try target.descriptor.makeDirectory(name, mode: 0o700)
            let from = OpenDirectory(try source.descriptor.open(name, [.directory, .noFollow]))
            let to = OpenDirectory(try target.descriptor.open(name, [.directory, .noFollow]))
            try copyChildren(of: from, to: to)
            try copyMetadata(of: from.descriptor, to: to.descriptor)
        }
    }

    /// Copies one file that is no directory, under the same name.
    func copyFile(
        _ name: [CChar], _ status: FileStatus, from source: OpenDirectory, to target: OpenDirectory
    ) throws(Errno) {
        if status.linkCount > 1 && !status.isWhiteout {
            if let copy = copies[FileIdentity(status)] {
                try copy.directory.descriptor.makeLink(of: copy.name, in: target.descriptor, at: name)
                return
            }
            copies[FileIdentity(status)] = (target, name)
        }
        switch status.type {
        case .regular:
            let from = try source.descriptor.open(name, [.readOnly, .noFollow])
            let to = try target.descriptor.open(name, [.create, .exclusive, .writeOnly], mode: 0o600)
            try to.copyContents(of: from, size: try from.status().size)
            try copyMetadata(of: from, to: to)
            return
        case .symbolicLink:
            let link = try source.descriptor.readLink(name).map { CChar(bitPattern: $0) } + [0]
            try target.descriptor.makeSymbolicLink(name, to: link)
        default:
            try target.descriptor.makeNode(name, mode: status.type.rawValue | 0o600, device: status.rawDevice)
        }
        let from = try source.descriptor.open(name, [.path, .noFollow])
        let to = try target.descriptor.open(name, [.path, .noFollow])
        try copyMetadata(of: from, to: to)
    }

    /// Copies owner, extended attributes, mode and times.
    func copyMetadata(of source: borrowing FileDescriptor, to target: borrowing FileDescriptor) throws(Errno) {
        let status = try source.status()
        try target.setOwner(uid: status.uid, gid: status.gid)
        let keepsOverlay = keepsOverlayAttributes
        try target.copyAttributes(of: source) { keepsOverlay || !OverlayAttribute.isOverlay($0) }
        if !status.isSymbolicLink { try target.setMode(status.permissions) }
        try target.setTimes(access: status.accessTime, modification: status.modificationTime)
    }
}
