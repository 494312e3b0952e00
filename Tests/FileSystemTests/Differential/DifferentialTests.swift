import Glibc
import Linux
import Testing

/// Random operations, with the kernel's overlay as the judge.
///
/// `STRATA_DIFFERENTIAL_SEEDS` (first-last or a number of them) and `STRATA_DIFFERENTIAL_OPERATIONS` ask for more.
@Suite struct DifferentialTests {
    static let seeds: [UInt64] = {
        guard let text = getenv("STRATA_DIFFERENTIAL_SEEDS").map({ String(cString: $0) }) else { return Array(1...8) }
        let bounds = text.split(separator: "-").compactMap { UInt64($0) }
        if bounds.count == 2, bounds[0] <= bounds[1] { return Array(bounds[0]...bounds[1]) }
        return Array(1...max(1, bounds.first ?? 8))
    }()

    static let operationCount =
        getenv("STRATA_DIFFERENTIAL_OPERATIONS").flatMap { Int(String(cString: $0)) } ?? 400

    @Test("Strata does what the kernel's overlay does", arguments: seeds)
    func agreement(seed: UInt64) throws {
        let differential = Differential(seed: seed, subject: .strata)
        let run = try differential.explore(count: Self.operationCount)
        if run.divergence == nil { return }
        let short = try differential.shrink(run)
        Issue.record(
            """
            seed \(seed), \(run.played.count) operations: \(run.divergence ?? "")
            as little as this is enough: \(short.divergence ?? "")
            \(short.log)
            """)
    }

    @Test("the judge agrees with itself", arguments: [UInt64(101), 102])
    func judge(seed: UInt64) throws {
        let run = try Differential(seed: seed, subject: .kernel).explore(count: 200)
        #expect(run.divergence == nil)
        #expect(run.played.count == 200)
    }

    @Test("the same seed makes the same layers, with everything that layers can hold")
    func generator() throws {
        func snapshots(_ seed: UInt64) throws -> [TreeSnapshot] {
            try LayerGenerator.layers(seed: seed).map { fill in
                try withScratch { path in
                    try Area.with(path, fill)
                    return try TreeSnapshot(of: path)
                }
            }
        }
        let layers = try snapshots(1)
        #expect(try snapshots(1) == layers)
        let entries = try (1...8).flatMap { try snapshots($0) }.flatMap(\.entries.values)
        #expect(entries.contains { $0.mode & S_IFMT == S_IFCHR && $0.rawDevice == 0 })
        #expect(entries.contains { $0.attributes["trusted.overlay.opaque"] != nil })
        #expect(entries.contains { $0.linkCount > 1 })
        for type: FileType in [.regular, .directory, .symbolicLink, .fifo, .socket] {
            #expect(entries.contains { FileType(mode: $0.mode) == type }, "\(type)")
        }
    }
}
