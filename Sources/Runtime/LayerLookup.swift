import Linux

/// Finds paths in a stack of directories without mounting it, with the union's rules: the upper entry wins,
/// directories merge until a whiteout or an opaque one, links resolve inside the stack.
struct LayerLookup {
    /// A directory of the stack: the real directories that merge in it, the top one first.
    struct Merged {
        /// Its path in the union, without `/` at the end; empty for the root.
        var path: String
        /// Real paths.
        var directories: [String]
    }

    /// Where the search for a path ended.
    enum Outcome {
        /// The path exists.
        case found(FileType)
        /// It does not: `chain` are the directories that exist on the way, from the root on, and `rest` the names
        /// that are missing below the last of them.
        case missing(chain: [Merged], rest: [String])
        /// A file is where a directory is needed, or links lead in a circle.
        case blocked
    }

    /// Absolute paths of the directories, the top one first.
    var layers: [String]

    private static let linkLimit = 40

    /// Looks a path up, links followed to the end.
    func find(_ path: String) -> Outcome {
        var chain = [Merged(path: "", directories: layers)]
        var pending = Self.components(path)[...]
        var links = 0
        while let name = pending.popFirst() {
            if name == ".." {
                if chain.count > 1 { chain.removeLast() }
                continue
            }
            guard let current = chain.last else { return .blocked }
            switch lookUp(name, in: current) {
            case .nothing:
                return .missing(chain: chain, rest: [name] + pending)
            case .directory(let merged):
                chain.append(merged)
            case .link(let target):
                links += 1
                if links > Self.linkLimit { return .blocked }
                if target.hasPrefix("/") { chain.removeLast(chain.count - 1) }
                pending = (Self.components(target) + pending)[...]
            case .other(let type):
                return pending.isEmpty ? .found(type) : .blocked
            }
        }
        return .found(.directory)
    }

    private enum Entry {
        case nothing
        case directory(Merged)
        case link(String)
        case other(FileType)
    }

    private func lookUp(_ name: String, in parent: Merged) -> Entry {
        var directories: [String] = []
        for directory in parent.directories {
            let path = "\(directory)/\(name)"
            guard let status = try? FileDescriptor.currentDirectory.statusIfPresent(of: path) else { continue }
            if status.isWhiteout { break }
            if status.isDirectory {
                directories.append(path)
                if Self.isOpaque(path) { break }
                continue
            }
            if !directories.isEmpty { break }
            if status.isSymbolicLink {
                guard let target = try? FileDescriptor.currentDirectory.readLink(path) else { return .nothing }
                return .link(String(decoding: target, as: UTF8.self))
            }
            return .other(status.type)
        }
        return directories.isEmpty
            ? .nothing : .directory(Merged(path: "\(parent.path)/\(name)", directories: directories))
    }

    private static func isOpaque(_ path: String) -> Bool {
        guard let directory = try? FileDescriptor.open(path, [.directory, .noFollow]) else { return false }
        for name in ["trusted.overlay.opaque", "user.overlay.opaque"] {
            if let value = try? directory.attribute(name), value == [UInt8(ascii: "y")] { return true }
        }
        return false
    }

    /// The names of a path, without empty ones and dots.
    static func components(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
    }
}
