import LayerTree
import Linux

/// How a container's file differs from its image's.
public struct LayerChange: Hashable, Sendable {
    /// What happened to the file.
    public enum Kind: String, Hashable, Sendable {
        /// It is new.
        case added = "A"
        /// Its content or its attributes are others, or something in it changed.
        case changed = "C"
        /// It is gone.
        case deleted = "D"
    }

    /// What happened.
    public var kind: Kind
    /// The path in the container, from `/`; bytes that are not UTF-8 are replaced.
    public var path: String
}

extension ImageStore {
    /// What an upper directory changes, sorted by path, as `docker diff` tells it.
    ///
    /// - Parameter lowers: the layers below it, bottom first.
    public func changes(inUpper path: String, lowers: [LayerID]) throws(StoreError) -> [LayerChange] {
        try attempting("compare \(path) with its layers") { () throws(Errno) in
            let upper = try OpenDirectory(path: path)
            var diff = try LayerDiff(lowers: lowerPaths(lowers), marks: marks)
            try diff.compare(upper, with: diff.roots, at: "")
            return diff.changes.sorted { Array($0.path.utf8).lexicographicallyPrecedes(Array($1.path.utf8)) }
        }
    }
}

/// Compares an upper directory with what lies below.
private struct LayerDiff {
    let roots: TreeDirectory
    let marks: OverlayMarks
    var changes: [LayerChange] = []

    init(lowers: [String], marks: OverlayMarks) throws(Errno) {
        roots = try TreeDirectory(layers: lowers, marks: marks)
        self.marks = marks
    }

    mutating func compare(_ upper: OpenDirectory, with lower: TreeDirectory, at path: String) throws(Errno) {
        for name in try upper.names() {
            guard let status = try upper.status(name) else { continue }
            let full = LayerDiff.join(path, name)
            let below = try lower.entry(name)
            if try upper.isWhiteout(name, status, marks) {
                if below == nil { continue }
                changes.append(LayerChange(kind: .deleted, path: full))
                continue
            }
            changes.append(LayerChange(kind: below == nil ? .added : .changed, path: full))
            guard status.isDirectory else { continue }
            let directory = try upper.open(name)
            try compareDirectory(directory, with: below, beside: lower, at: full)
        }
    }

    private mutating func compareDirectory(
        _ directory: OpenDirectory, with below: TreeEntry?, beside parent: TreeDirectory, at path: String
    ) throws(Errno) {
        var merged = roots.absent
        if let below, below.status.isDirectory { merged = try parent.open(below) }
        let value = try directory.descriptor.attribute(marks.name(.redirect)) ?? []
        if let redirect = try OverlayRedirect(value) {
            // Renamed: everything in it is new here, whether it lies above or below.
            try addAll(in: directory, over: try roots.descend(redirect) { parent }, at: path)
            return
        }
        if try FileAttributes(of: directory.descriptor, marks: marks).isOpaque {
            let kept = Set(try directory.names())
            for name in try merged.names() where !kept.contains(name) {
                if try merged.entry(name) == nil { continue }
                changes.append(LayerChange(kind: .deleted, path: LayerDiff.join(path, name)))
            }
        }
        try compare(directory, with: merged, at: path)
    }

    private mutating func addAll(
        in directory: OpenDirectory?, over lower: TreeDirectory, at path: String
    ) throws(Errno) {
        var seen: Set<FileName> = []
        if let directory {
            for name in try directory.names() {
                seen.insert(name)
                guard let status = try directory.status(name), try !directory.isWhiteout(name, status, marks) else {
                    continue
                }
                let full = LayerDiff.join(path, name)
                changes.append(LayerChange(kind: .added, path: full))
                guard status.isDirectory else { continue }
                let child = try directory.open(name)
                try addAll(in: child, over: try lower.descend([name]), at: full)
            }
        }
        for name in try lower.names() where !seen.contains(name) {
            guard let entry = try lower.entry(name) else { continue }
            let full = LayerDiff.join(path, name)
            changes.append(LayerChange(kind: .added, path: full))
            if entry.status.isDirectory { try addAll(in: nil, over: try lower.open(entry), at: full) }
        }
    }

    private static func join(_ path: String, _ name: FileName) -> String {
        path + "/" + name.text
    }
}
