import LayerTree
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

    /// Writes what the layers make together into an empty directory.
    ///
    /// - Parameters:
    ///   - layers: the layers, merged.
    ///   - base: what lies below them.
    func merge(_ layers: TreeDirectory, over base: TreeDirectory, into target: OpenDirectory) throws(Errno) {
        for name in try layers.names() {
            try merge(name, of: layers, over: base, into: target)
        }
        if !layers.isEmpty { try copier.copyMetadata(of: try layers.top().descriptor, to: target.descriptor) }
    }

    private func merge(
        _ name: FileName, of layers: TreeDirectory, over base: TreeDirectory, into target: OpenDirectory
    ) throws(Errno) {
        switch try layers.holding(name) {
        case .nothing: return
        case .whiteout(let status, let part):
            if try base.entry(name) == nil { return }
            try copier.copyFile(name, status, from: layers.parts[part], to: target)
        case .entry(let entry, let isClosed):
            guard entry.status.isDirectory else {
                try copier.copyFile(name, entry.status, from: try layers.home(of: entry), to: target)
                return
            }
            var below = base.absent
            var hides = false
            if let lower = try base.entry(name), lower.status.isDirectory {
                if isClosed { hides = true } else { below = try base.open(lower) }
            }
            try target.descriptor.makeDirectory(name.cString, mode: 0o700)
            let made = try target.open(name)
            try merge(try layers.open(entry), over: below, into: made)
            if hides { try made.descriptor.setAttribute(marks.name(.opaque), [UInt8(ascii: "y")]) }
        }
    }
}
