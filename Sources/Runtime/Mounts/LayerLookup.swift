import ImageStore
import Linux

/// Finds paths in a stack of directories without mounting it; links resolve inside the stack.
struct LayerLookup {
    /// A directory of the stack: the real directories that merge in it, the top one first.
    struct Merged {
        /// Its path in the union, without `/` at the end; empty for the root.
        var path: String
        /// What merges in it.
        var stack: LowerStack
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

    /// The root of the stack.
    let root: LowerStack

    private static let linkLimit = 40

    /// Looks a path up, links followed to the end.
    func find(_ path: String) -> Outcome {
        var chain = [Merged(path: "", stack: root)]
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
                // Upwards from what does not exist leads nowhere.
                return pending.contains("..") ? .blocked : .missing(chain: chain, rest: [name] + pending)
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
        let cName = name.utf8.map { CChar(bitPattern: $0) } + [0]
        switch try? parent.stack.child(cName) {
        case nil, .some(.none): return .nothing
        case .directory(let stack): return .directory(Merged(path: "\(parent.path)/\(name)", stack: stack))
        case .file(let status, let directory):
            guard status.isSymbolicLink else { return .other(status.type) }
            guard let target = try? directory.descriptor.readLink(cName) else { return .nothing }
            return .link(String(decoding: target, as: UTF8.self))
        }
    }

    /// The names of a path, without empty ones and dots.
    static func components(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init).filter { $0 != "." }
    }
}
