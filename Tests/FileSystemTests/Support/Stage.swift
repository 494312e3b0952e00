import Glibc
import Linux
import Testing

/// A test's directory, when the test wants to mount again in the middle, or looks at what lies below.
final class Stage {
    /// The directory that the test works in.
    let path: String
    private let union: MountedUnion?

    fileprivate init(path: String, union: MountedUnion?) {
        self.path = path
        self.union = union
    }

    /// Calls `body` with the directory. Nothing of it is open afterwards.
    func act<Result>(_ body: (Area) throws -> Result) throws -> Result { try Area.with(path, body) }

    /// A new mount of the same directories; nothing where there is no mount.
    func remount() throws { try union?.remount() }

    /// Calls `check` with the directory as it is, and again on a new mount.
    func beforeAndAfterRemount(_ check: (Area) throws -> Void) throws {
        try act(check)
        try remount()
        try act(check)
    }
}

extension Subject {
    /// As `run`, with as many layers as the test likes, the lowest first, and a stage. On what is not a stack the layers are
    /// made one after the other in the same directory, so none may hold what only makes sense in a layer.
    func stage(layers: [(Area) throws -> Void], _ test: (Stage) throws -> Void) throws {
        func fill(_ area: Area) throws { for layer in layers { try layer(area) } }
        if self == .directory {
            try withScratch { path in
                try Area.with(path, fill)
                try test(Stage(path: path, union: nil))
            }
            return
        }
        let isGivenBelow = self != .strataUpper
        try withSubjectUnion(layers: isGivenBelow ? layers + [{ _ in }] : [{ _ in }]) { union in
            if !isGivenBelow { try Area.with(union.target, fill) }
            try test(Stage(path: union.target, union: union))
        }
    }

    /// As `stage`, with one layer.
    func stage(given: @escaping (Area) throws -> Void, _ test: (Stage) throws -> Void) throws {
        try stage(layers: [given], test)
    }
}

extension Area {
    /// A directory, if it is not there yet: for layers that are to lie over each other.
    func ensureDirectory(_ name: String) throws {
        if try !exists(name) { try directory(name) }
    }
}
