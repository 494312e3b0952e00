import Glibc
import Linux
import TestSupport
import Testing

/// What a conformance test runs on. The test knows only a directory; the first two say what is right.
enum Subject: String, Sendable, CustomTestStringConvertible {
    /// A plain directory.
    case directory
    /// The kernel's overlay, what is given lies in a lower layer.
    case kernelOverlay
    /// Strata, what is given was made through the mount and lies in the upper directory.
    case strataUpper
    /// Strata, what is given lies in a lower layer.
    case strataLower
    /// As `strataLower`, and the server reads and writes everything itself.
    case strataUnaided
    /// As `strataLower`, while the kernel keeps forgetting what it has been told.
    case strataForgetful

    /// All of them, or those that `STRATA_TEST_SUBJECTS` names, with commas between. In a user namespace there are no backing
    /// files, nobody may drop caches, and the kernel's overlay does less.
    static let allCases: [Subject] = {
        if let chosen = getenv("STRATA_TEST_SUBJECTS") {
            return String(cString: chosen).split(separator: ",").compactMap { Subject(rawValue: String($0)) }
        }
        if UserNamespace.isInside { return [.directory, .strataUpper, .strataLower] }
        return [.directory, .kernelOverlay, .strataUpper, .strataLower, .strataUnaided, .strataForgetful]
    }()

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
            try run(layers: [{ _ in }]) { area in
                try given(area)
                try test(area)
            }
        default:
            try run(layers: [given, { _ in }], test: test)
        }
    }

    private func run(layers: [(Area) throws -> Void], test: (Area) throws -> Void) throws {
        try withSubjectUnion(layers: layers) { union in try Area.with(union.target, test) }
    }

    /// Mounts the layers and calls `body`. Afterwards the lower layers must be untouched.
    func withSubjectUnion(layers: [(Area) throws -> Void], _ body: (MountedUnion) throws -> Void) throws {
        let server: MountedUnion.Server = self == .kernelOverlay ? .kernel : .strata
        let own = self == .strataUnaided ? ["passthrough=off"] : []
        try withUnion(server, options: own + (ExtraOptions.current ?? []), layers: layers) { union in
            let before = try union.lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
            if self == .strataForgetful {
                try whileForgetting { try body(union) }
            } else {
                try body(union)
            }
            for (path, old) in zip(union.lower, before) {
                let now = try TreeSnapshot(of: path, changeTimes: true)
                #expect(old.differences(to: now) == [], "a lower layer was written to")
            }
        }
    }
}

/// Mount options that all unions of a suite have besides their own.
struct ExtraOptions: SuiteTrait, TestScoping {
    @TaskLocal static var current: [String]?

    let options: [String]

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Self.$current.withValue(options) { try await function() }
    }
}

extension Trait where Self == ExtraOptions {
    static func mountOptions(_ options: String...) -> ExtraOptions { ExtraOptions(options: options) }
}
