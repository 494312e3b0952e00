internal import FUSE
internal import Linux

/// The directories that make up a union, and what a name means in those of them that never change.
final class LayerStack: Sendable {
    /// The writable directory; nil for a read-only union.
    let upper: Layer?
    /// The immutable directories, topmost first. The layer of index `i` is `lowers[i - 1]`.
    let lowers: [Layer]
    /// Directories that only hold the data of files, topmost first: see `Configuration.dataOnly`.
    let dataLayers: [Layer]
    let marks: Marks

    init(upper: Layer?, lowers: [Layer], dataLayers: [Layer] = [], marks: Marks) {
        self.upper = upper
        self.lowers = lowers
        self.dataLayers = dataLayers
        self.marks = marks
    }

    /// The layer of an index that a `LowerPart` holds. Nil for a number out of range, which no part has.
    func lower(_ index: UInt16) -> Layer? {
        let position = Int(index) - 1
        return lowers.indices.contains(position) ? lowers[position] : nil
    }

    /// Where `name` in a part is, or the part itself.
    func place(_ part: LowerPart, _ name: Text? = nil) throws(Errno) -> Place {
        guard let layer = lower(part.layer) else { throw .EIO }
        return try .lower(layer, part.path, name)
    }

    /// The first thing of a name in the lower parts of a directory.
    enum LowerEntry {
        /// There is nothing, or a whiteout comes first.
        case none
        /// `parts[index]` has it.
        case found(index: Int, status: FileStatus)
    }

    /// Looks for a name in the lower parts of a directory, from part `first` on.
    func find(_ name: Text, in parts: [LowerPart], from first: Int = 0) throws(Errno) -> LowerEntry {
        for index in first..<max(first, parts.count) {
            let place = try place(parts[index], name)
            if let status = try place.statusIfPresent() {
                if status.isWhiteout { return .none }
                if parts[index].hasWhiteoutFiles, try marks.isWhiteoutFile(place.path, in: place.directory, status) {
                    return .none
                }
                return .found(index: index, status: status)
            }
            if try hasMarker(parts[index], name) { return .none }
        }
        return .none
    }

    /// Whether a part holds `.wh.NAME`.
    func hasMarker(_ part: LowerPart, _ name: Text) throws(Errno) -> Bool {
        if !part.hasMarkers || !marks.readsForeign { return false }
        guard let layer = lower(part.layer) else { throw .EIO }
        return try Self.isMarked(name) { (marker: Text) throws(Errno) in
            try Place.lower(layer, part.path, marker).statusIfPresent() != nil
        }
    }

    /// Whether `exists` holds for `.wh.NAME`. A name too long to have such a marker has none.
    static func isMarked(_ name: Text, _ exists: (Text) throws(Errno) -> Bool) throws(Errno) -> Bool {
        let prefix = Marks.markerPrefix.utf8CodeUnitCount
        let length = prefix + name.length
        if length > Self.longestName { return false }
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: length + 1)
        defer { buffer.deallocate() }
        buffer.update(from: Marks.markerPrefix.cString, count: prefix)
        (buffer + prefix).update(from: name.pointer, count: name.length)
        buffer[length] = 0
        return try exists(Text(buffer, length: length))
    }

    /// `NAME_MAX`.
    private static let longestName = 255

    // MARK: Directories

    /// The parts of a directory called `name` in a directory of the given lower parts.
    ///
    /// - Parameters:
    ///   - first: index of the part to start from.
    ///   - redirect: what the directory's upper part says of its place in the lower layers.
    func parts(
        of name: Text, in parents: [LowerPart], from first: Int = 0, redirect: [UInt8]? = nil
    ) throws(Errno) -> [LowerPart] {
        var result: [LowerPart] = []
        var current: [UInt8]?
        switch try OverlayRedirect(redirect ?? []) {
        case .path(let path):
            try append(absolute: path, below: 0, to: &result)
            return result
        case .name(let name): current = name
        case nil: break
        }
        var shared: LowerPath?
        var index = first
        while index < parents.count {
            let parent = parents[index]
            index += 1
            let step = try Self.withName(current, name) { (name: Text) throws(Errno) in
                try self.step(name, parent, &shared)
            }
            switch step {
            case .absent: continue
            case .blocked: return result
            case .directory(let part, let isHiding):
                result.append(part)
                if isHiding { return result }
                // The lowest part of the whole stack has nothing to say of layers below it.
                if Int(part.layer) >= lowers.count { return result }
                let marks = try self.marks.directory(at: try place(part))
                if marks.isOpaque { return result }
                switch try OverlayRedirect(marks.redirect ?? []) {
                case .path(let path):
                    try append(absolute: path, below: Int(part.layer), to: &result)
                    return result
                case .name(let name):
                    current = name
                    shared = nil
                case nil: break
                }
            }
        }
        return result
    }

    private enum Step {
        case absent
        case blocked
        case directory(LowerPart, isHiding: Bool)
    }

    private func step(_ name: Text, _ parent: LowerPart, _ shared: inout LowerPath?) throws(Errno) -> Step {
        guard let status = try place(parent, name).statusIfPresent() else {
            return try hasMarker(parent, name) ? .blocked : .absent
        }
        if status.isWhiteout || !status.isDirectory { return .blocked }
        // Parts of the same path share it: most do.
        let path: LowerPath
        if let known = shared, Self.isChild(known, of: parent.path, name) {
            path = known
        } else {
            path = LowerPath(parent: parent.path, name: name.pointer, length: name.length)
            shared = path
        }
        let isHiding = try hasMarker(parent, name)
        return .directory(LowerPart(layer: parent.layer, path: path), isHiding: isHiding)
    }

    private static func isChild(_ path: LowerPath, of parent: LowerPath, _ name: Text) -> Bool {
        let start = parent.length == 0 ? 0 : parent.length + 1
        return path.length == start + name.length
            && Text(path.pointer, length: parent.length).equals(parent.pointer, parent.length)
            && Text(path.pointer + start, length: name.length).equals(name.pointer, name.length)
    }

    /// A redirect to another name in the same directory.
    static func withName<Result>(
        _ bytes: [UInt8]?, _ name: Text, _ body: (Text) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        guard let bytes else { return try body(name) }
        return try withText(bytes, body)
    }

    /// Adds the parts of a path from the root, in the layers after index `layer`. No component may be a link, a
    /// whiteout or anything but a directory. A directory on the way that was renamed itself changes the path in the
    /// layers below it.
    func append(absolute path: [[UInt8]], below layer: Int, to result: inout [LowerPart]) throws(Errno) {
        var components = path
        var shared: LowerPath?
        for candidate in lowers where candidate.index > layer {
            let current = components
            var joined: [UInt8] = []
            var isOpaque = false
            var isThere = true
            for (position, component) in current.enumerated() {
                joined += (joined.isEmpty ? [] : [UInt8(ascii: "/")]) + component
                let place = try withText(joined) { (text: Text) throws(Errno) in try Place.plain(candidate, text) }
                guard let status = try place.statusIfPresent() else {
                    isThere = false
                    break
                }
                if status.isWhiteout || !status.isDirectory { return }
                if candidate.index == lowers.count { continue }
                let marks = try self.marks.directory(at: place)
                if marks.isOpaque {
                    isOpaque = true
                    continue
                }
                guard let redirect = try OverlayRedirect(marks.redirect ?? []) else { continue }
                let rest = current.dropFirst(position + 1)
                switch redirect {
                case .path(let path):
                    // It came from elsewhere into what is opaque above.
                    isOpaque = false
                    components = path + rest
                case .name(let name): components = components.dropLast(current.count - position) + [name] + rest
                }
                shared = nil
            }
            if isThere {
                let path = shared ?? joined.withUnsafeBytes { LowerPath(bytes: $0) }
                if components == current { shared = path }
                result.append(LowerPart(layer: UInt16(clamping: candidate.index), path: path))
            }
            if isOpaque { return }
        }
    }
}

/// Calls `body` with bytes that get a zero behind them.
func withText<Result: ~Copyable>(
    _ bytes: [UInt8], _ body: (Text) throws(Errno) -> Result
) throws(Errno) -> Result {
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    defer { buffer.deallocate() }
    for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
    buffer[bytes.count] = 0
    return try body(Text(buffer, length: bytes.count))
}
