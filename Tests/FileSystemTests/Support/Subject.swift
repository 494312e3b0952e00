import Linux
import Testing

/// What a conformance test runs on. The test knows only a directory; the first two say what is right.
enum Subject: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// A plain directory.
    case directory
    /// The kernel's overlay, what is given lies in a lower layer.
    case kernelOverlay
    /// Strata, what is given was made through the mount and lies in the upper directory.
    case strataUpper
    /// Strata, what is given lies in a lower layer.
    case strataLower

    var testDescription: String { rawValue }

    /// Whether it is a stack of directories rather than one.
    var isUnion: Bool { self != .directory }

    /// Lays out what is given, and runs a test on it. After a test on a union, the lower layers must be untouched.
    func run(given: @escaping (Area) throws -> Void = { _ in }, test: (Area) throws -> Void) throws {
        switch self {
        case .directory:
            try withScratch { path in
                try Area.with(path) { area in
                    try given(area)
                    try test(area)
                }
            }
        case .strataUpper:
            try run(.strata, layers: [{ _ in }]) { area in
                try given(area)
                try test(area)
            }
        case .strataLower:
            try run(.strata, layers: [given, { _ in }], test: test)
        case .kernelOverlay:
            try run(.kernel, layers: [given, { _ in }], test: test)
        }
    }

    private func run(
        _ server: MountedUnion.Server, layers: [(Area) throws -> Void], test: (Area) throws -> Void
    ) throws {
        try withUnion(server, layers: layers) { union in
            let before = try union.lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
            try Area.with(union.target, test)
            for (path, old) in zip(union.lower, before) {
                let now = try TreeSnapshot(of: path, changeTimes: true)
                #expect(old.differences(to: now) == [], "a lower layer was written to")
            }
        }
    }
}
