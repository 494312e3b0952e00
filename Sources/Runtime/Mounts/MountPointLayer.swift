import ImageStore
import Linux

/// The directory that lends a container the mount points its image lacks.
///
/// A runtime creates missing mount points in the root file system, and there they would become part of the layer of a
/// build step. Instead they are put into a directory of their own, which the union has between the image's layers and
/// the upper directory: what is mounted on them hides them while the container runs, and nothing of them is left in
/// the upper directory.
struct MountPointLayer {
    /// A place that something will be mounted on.
    struct Place {
        /// Absolute in the container.
        var path: String
        var isDirectory: Bool
    }

    /// Makes the directory with those of the places that the stack lacks.
    ///
    /// - Parameters:
    ///   - directory: the path for the layer; what is there is replaced.
    ///   - layers: the stack's directories, the top one first, the upper included.
    ///   - marks: how unions over them keep their notes.
    /// - Returns: false when nothing is lacking; then there is no directory either.
    static func make(
        at directory: String, under layers: [String], marks: OverlayMarks, places: [Place]
    ) throws(RuntimeError) -> Bool {
        try attempting("remove \(directory)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.removeTree(directory)
        }
        let lookup = try attempting("open the layers below \(directory)") { () throws(Errno) in
            LayerLookup(root: try LowerStack(roots: layers, marks: marks))
        }
        var made: Set<String> = []
        for place in places {
            guard case .missing(let chain, let rest) = lookup.find(place.path) else { continue }
            try attempting("create the mount point \(place.path) in \(directory)") { () throws(Errno) in
                try create(rest, below: chain, in: directory, isDirectory: place.isDirectory, made: &made)
            }
        }
        return !made.isEmpty
    }

    /// Creates the chain as copies of what they merge with, and below it the missing names.
    private static func create(
        _ rest: [String], below chain: [LayerLookup.Merged], in directory: String, isDirectory: Bool,
        made: inout Set<String>
    ) throws(Errno) {
        for merged in chain where made.insert(merged.path).inserted {
            try FileDescriptor.currentDirectory.makeDirectory(directory + merged.path, exactMode: 0o755)
            guard let original = merged.stack.directories.first else { continue }
            try Attributes.copy(from: original.descriptor, to: directory + merged.path, marks: merged.stack.marks)
        }
        var path = chain.last?.path ?? ""
        for (index, name) in rest.enumerated() {
            path += "/" + name
            if !made.insert(path).inserted { continue }
            if index + 1 < rest.count || isDirectory {
                try FileDescriptor.currentDirectory.makeDirectory(directory + path, exactMode: 0o755)
            } else {
                let flags: OpenFlags = [.writeOnly, .create, .exclusive, .noFollow]
                try FileDescriptor.open(directory + path, flags, mode: 0o644).setMode(0o644)
            }
        }
        // Last, because each new entry changed the times of its directory.
        for merged in chain {
            guard let original = merged.stack.directories.first else { continue }
            try Attributes.copyTimes(from: original.descriptor, to: directory + merged.path)
        }
    }
}

/// Copying what a directory says of itself.
enum Attributes {
    /// Owner, mode, extended attributes and times; marks that only mean something to a union are left out.
    static func copy(
        from source: borrowing FileDescriptor, to target: String, marks: OverlayMarks
    ) throws(Errno) {
        let to = try FileDescriptor.open(target, [.directory, .noFollow])
        let status = try source.status()
        try to.setOwner(uid: status.uid, gid: status.gid)
        try to.setMode(status.permissions)
        try to.copyAttributes(of: source, lenient: true) { marks.isMark($0) ? nil : $0 }
        try to.setTimes(access: status.accessTime, modification: status.modificationTime)
    }

    /// The times alone.
    static func copyTimes(from source: borrowing FileDescriptor, to target: String) throws(Errno) {
        let status = try source.status()
        try FileDescriptor.currentDirectory.setTimes(
            of: target, access: status.accessTime, modification: status.modificationTime)
    }
}
