import Glibc
import Linux
import Testing

/// Random operations, with the kernel's overlay as the judge.
///
/// `tools/fuzz` asks for more of them through the environment: see `Dose`.
@Suite struct DifferentialTests {
    /// How much is played.
    struct Dose {
        var seeds: [UInt64] = Array(1...8)
        var operations = 12_500
        var layers = 20
        var crashes = true

        /// `STRATA_FUZZ_SEEDS` (first-last, or how many), `STRATA_FUZZ_OPERATIONS` (for each seed),
        /// `STRATA_FUZZ_LAYERS` (at most), `STRATA_FUZZ_CRASH` (0 or 1).
        init() {
            func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
            if let text = value("STRATA_FUZZ_SEEDS") {
                let bounds = text.split(separator: "-").compactMap { UInt64($0) }
                if bounds.count == 2, bounds[0] <= bounds[1] {
                    seeds = Array(bounds[0]...bounds[1])
                } else {
                    seeds = Array(1...max(1, bounds.first ?? 8))
                }
            }
            operations = value("STRATA_FUZZ_OPERATIONS").flatMap { Int($0) } ?? operations
            layers = value("STRATA_FUZZ_LAYERS").flatMap { Int($0) } ?? layers
            crashes = value("STRATA_FUZZ_CRASH").map { $0 != "0" } ?? crashes
        }
    }

    static let dose = Dose()

    @Test("Strata does what the kernel's overlay does", arguments: dose.seeds)
    func fuzz(seed: UInt64) throws {
        let dose = Self.dose
        let settings = Fuzzer.Settings(
            seed: seed, operations: dose.operations, layers: dose.layers, crashes: dose.crashes && seed % 2 == 0)
        let start = MonotonicClock.milliseconds
        let isTerminal = BorrowedDescriptor.standardError.isTerminal
        func show(_ count: Int, _ end: String) {
            let rate = Int64(count) * 1000 / max(1, MonotonicClock.milliseconds - start)
            let line = "seed \(seed): \(count) operations, \(rate) a second\(end)"
            try? FileDescriptor.open("/dev/stderr", [.writeOnly, .append]).writeAll(line)
        }
        let report = try Fuzzer(settings) { if isTerminal { show($0, "\r") } }.explore()
        if getenv("STRATA_FUZZ_OPERATIONS") != nil { show(report.operationCount, "\n") }
        guard let divergence = report.divergence else { return }
        let short = try Replay().shrink(report.script)
        Issue.record(
            """
            seed \(seed), after \(report.operationCount) operations: \(divergence)
            \(short.map { "As little as this is enough: \($0.divergence)" } ?? "It does not happen in one thread:")
            \(RegressionTests.source(short?.script ?? report.script.end(200), name: "seed \(seed)"))
            """)
    }

    @Test("the judge agrees with itself", arguments: [UInt64(101), 104])
    func judge(seed: UInt64) throws {
        let report = try Fuzzer(Fuzzer.Settings(seed: seed, operations: 1000, subject: .kernel)).explore()
        #expect(report.divergence == nil)
        #expect(report.operationCount >= 1000)
    }

    @Test("the same seed makes the same run, with everything that layers can hold")
    func generator() throws {
        func run(_ seed: UInt64) throws -> String {
            try Fuzzer(Fuzzer.Settings(seed: seed, operations: 300, subject: .kernel)).explore().script.description
        }
        let text = try run(5)
        #expect(try run(5) == text)
        #expect(try Script(text: text).description == text)
        let all = try (1...12).map { try run($0) }.joined()
        for word in [
            "whiteout", "opaque", "link", "setacl", "mknod", "layer elsewhere", "layer by kernel", "layer by strata",
        ] {
            #expect(all.contains(word), "\(word)")
        }
    }
}

extension Script {
    /// The same layers and the last operations.
    func end(_ count: Int) -> Script { Script(layers: layers, operations: operations.suffix(count)) }
}
