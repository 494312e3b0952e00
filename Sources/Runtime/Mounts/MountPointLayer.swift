import LayerTree
import Linux

/// The directory that lends a container the mount points its image lacks.
///
/// A runtime creates missing mount points in the root file system, and there they would become part of the layer of a
/// build step. Instead they are put into a directory of their own, which the union has between the image's layers and
/// the upper directory: what is mounted on them hides them while the container runs, and nothing of them is left in
/// the upper directory.
struct MountPointLayer {
    /// The path of the directory.
    private let directory: String
    private let copier: FileCopier
    /// The paths that are in it.
    private var made: Set<[FileName]> = []

    private init(directory: String, copier: FileCopier) {
        self.directory = directory
        self.copier = copier
    }

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
        let root = try attempting("open the layers below \(directory)") { () throws(Errno) in
            try TreeDirectory(layers: layers, marks: marks)
        }
        var maker = MountPointLayer(directory: directory, copier: FileCopier(.own(marks), isLenient: true))
        for place in places {
            try attempting("create the mount point \(place.path) in \(directory)") { () throws(Errno) in
                guard case .missing(let chain, let rest) = try root.search(TreePath.names(place.path)) else { return }
                try maker.create(rest, below: chain, isDirectory: place.isDirectory)
            }
        }
        return !maker.made.isEmpty
    }

    /// Creates the chain as copies of what it merges with, and below it the missing names.
    private mutating func create(
        _ rest: [FileName], below chain: [(path: [FileName], directory: TreeDirectory)], isDirectory: Bool
    ) throws(Errno) {
        for (path, original) in chain where made.insert(path).inserted {
            try FileDescriptor.currentDirectory.makeDirectory(place(path), exactMode: 0o755)
            if original.isEmpty { continue }
            let copy = try FileDescriptor.open(place(path), [.directory, .noFollow])
            try copier.copyMetadata(of: try original.top().descriptor, to: copy)
        }
        var path = chain.last?.path ?? []
        for (index, name) in rest.enumerated() {
            path.append(name)
            if !made.insert(path).inserted { continue }
            if index + 1 < rest.count || isDirectory {
                try FileDescriptor.currentDirectory.makeDirectory(place(path), exactMode: 0o755)
            } else {
                let flags: OpenFlags = [.writeOnly, .create, .exclusive, .noFollow]
                try FileDescriptor.open(place(path), flags, mode: 0o644).setMode(0o644)
            }
        }
        // Last, because each new entry changed the times of its directory.
        for (path, original) in chain where !original.isEmpty {
            let status = try original.status()
            try FileDescriptor.currentDirectory.setTimes(
                of: place(path), access: status.accessTime, modification: status.modificationTime)
        }
    }

    /// Where a path of the union is in the directory that is made, with its terminating zero.
    private func place(_ path: [FileName]) -> [CChar] {
        directory.utf8.map { CChar(bitPattern: $0) }
            + path.flatMap { "/".utf8.map { CChar(bitPattern: $0) } + $0.cString.dropLast() }
            + [0]
    }
}
