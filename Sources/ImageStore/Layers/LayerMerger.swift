import Linux

/// Puts the changes of several layers together as those of one layer: what they hide of each other is gone, what they
/// hide of the layers below stays hidden.
final class LayerMerger {
    private let marks: OverlayMarks
    private let copier: FileCopier

    init(marks: OverlayMarks) {
        self.marks = marks
        copier = FileCopier(.own(marks))
    }

    /// What the layers say of a name.
    private enum Part {
        case nothing
        case whiteout(FileStatus, in: OpenDirectory)
        case file(FileStatus, in: OpenDirectory)
        /// Directories, top first; whether what lies below all of the layers is hidden by them.
        case directory([OpenDirectory], isClosed: Bool)
    }

    /// Writes what the layers make together into an empty directory.
    ///
    /// - Parameters:
    ///   - layers: the roots of the layers, top first.
    ///   - base: what lies below them.
    func merge(_ layers: [OpenDirectory], over base: LowerStack, into target: OpenDirectory) throws(Errno) {
        for name in try LayerMerger.names(of: layers) {
            try merge(name, of: layers, over: base, into: target)
        }
        if let top = layers.first { try copier.copyMetadata(of: top.descriptor, to: target.descriptor) }
    }

    private func merge(
        _ name: [CChar], of layers: [OpenDirectory], over base: LowerStack, into target: OpenDirectory
    ) throws(Errno) {
        switch try part(name, of: layers) {
        case .nothing: return
        case .whiteout(let status, let source):
            if case .none = try base.child(name) { return }
            try copier.copyFile(name, status, from: source, to: target)
        case .file(let status, let source): try copier.copyFile(name, status, from: source, to: target)
        case .directory(let directories, let isClosed):
            var below = base.empty
            var hides = false
            if case .directory(let stack) = try base.child(name) {
                if isClosed { hides = true } else { below = stack }
            }
            try target.descriptor.makeDirectory(name, mode: 0o700)
            let made = try target.open(name)
            try merge(directories, over: below, into: made)
            if hides { try made.descriptor.setAttribute(marks.name(.opaque), [UInt8(ascii: "y")]) }
        }
    }

    private func part(_ name: [CChar], of directories: [OpenDirectory]) throws(Errno) -> Part {
        var found: [OpenDirectory] = []
        for directory in directories {
            guard let status = try directory.descriptor.statusIfPresent(of: name) else { continue }
            if status.isWhiteout {
                return found.isEmpty ? .whiteout(status, in: directory) : .directory(found, isClosed: true)
            }
            guard status.isDirectory else {
                return found.isEmpty ? .file(status, in: directory) : .directory(found, isClosed: true)
            }
            let opened = try directory.open(name)
            found.append(opened)
            if try AttributeReader(marks: marks).attributes(of: opened.descriptor).isOpaque {
                return .directory(found, isClosed: true)
            }
        }
        return found.isEmpty ? .nothing : .directory(found, isClosed: false)
    }

    private static func names(of directories: [OpenDirectory]) throws(Errno) -> [[CChar]] {
        var all: Set<[CChar]> = []
        for directory in directories { all.formUnion(try directory.names()) }
        return all.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
