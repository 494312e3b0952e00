import TestSupport
import Testing

/// Random notes of an overlay, as programs, archives and whoever tampers with an upper directory would write them: no
/// file of the host comes in, no name of one, and nothing is hidden. The kernel's overlay is the oracle.
///
/// A case is a file or a directory that got notes. `tools/fuzz-marks` plays any number.
@Suite(.serialized) struct MarkFuzzTests {
    private static let roundsPerScene = 100

    @Test func `random notes lead nowhere and hide nothing`() throws {
        var scene = try MarkScene()
        var (rounds, failures, played): (Int, Int, UInt64) = (0, 0, 0)
        try Mutator.played(5000) { seed, random in
            if failures >= 3 { return UInt64.max >> 1 }
            rounds += 1
            if rounds % Self.roundsPerScene == 0 { scene = try MarkScene() }
            let kind = Int.random(in: 0..<6, using: &random)
            do {
                let cases =
                    switch kind {
                    case 0, 1, 2: try ProgramRound.play(scene, &random)
                    case 3: try TamperRound.play(scene, &random)
                    default: try ArchiveRound.play(scene, &random)
                    }
                try scene.endRound()
                played += cases
                return cases
            } catch {
                failures += 1
                Issue.record("seed \(seed), kind \(kind): \(error)")
                scene = try MarkScene()
                return 1
            }
        }
        print("\(played) cases in \(rounds) rounds")
    }
}
