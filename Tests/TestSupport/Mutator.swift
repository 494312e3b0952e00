import Glibc

/// Damages inputs at random, the same way each time for the same seed.
package struct Mutator: RandomNumberGenerator {
    private var state: UInt64

    /// The seed and the seconds that `STRATA_FUZZ_SEED` and `STRATA_FUZZ_SECONDS` set; few inputs without them.
    static var seed: UInt64 { number("STRATA_FUZZ_SEED") ?? 1 }

    package init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    private static func number(_ variable: String) -> UInt64? {
        getenv(variable).flatMap { UInt64(String(cString: $0)) }
    }

    /// Calls `body` with mutators of one seed after the other: `rounds` times, or for the seconds that are asked for.
    package static func repeated(_ rounds: UInt64, _ body: (UInt64, inout Mutator) throws -> Void) rethrows {
        let end = number("STRATA_FUZZ_SECONDS").map { time(nil) + Int($0) }
        var round: UInt64 = 0
        while end.map({ time(nil) < $0 }) ?? (round < rounds) {
            var mutator = Mutator(seed: seed &+ round)
            try body(seed &+ round, &mutator)
            round += 1
        }
    }

    /// Calls `body`, which tells how many cases it played, with mutators of one seed after the other until those are
    /// `cases`, or as many as `STRATA_FUZZ_CASES` asks for.
    package static func played(_ cases: UInt64, _ body: (UInt64, inout Mutator) throws -> UInt64) rethrows {
        let wanted = number("STRATA_FUZZ_CASES") ?? cases
        var (round, count): (UInt64, UInt64) = (0, 0)
        while count < wanted {
            var mutator = Mutator(seed: seed &+ round)
            count += max(1, try body(seed &+ round, &mutator))
            round += 1
        }
    }

    /// True once in `n` times.
    package mutating func chance(oneIn n: Int) -> Bool { Int.random(in: 0..<n, using: &self) == 0 }

    /// One of several values; there must be one.
    package mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &self)]
    }

    /// xorshift64*
    package mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }

    /// An input made of one or two sound ones and words that mean something to the reader.
    package mutating func mutate(_ inputs: [[UInt8]], words: [[UInt8]]) -> [UInt8] {
        var bytes = inputs.randomElement(using: &self) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &self) {
            let start = Int.random(in: 0...bytes.count, using: &self)
            let end = min(bytes.count, start + Int.random(in: 0...(Bool.random(using: &self) ? 8 : 600), using: &self))
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
            case 2: bytes.replaceSubrange(start..<end, with: words.randomElement(using: &self) ?? [])
            case 3:
                let other = inputs.randomElement(using: &self) ?? []
                bytes = Array(bytes[..<start]) + other[min(start, other.count)...]
            case 4: for index in start..<min(end, start + 8) { bytes[index] = UInt8(truncatingIfNeeded: next()) }
            default: if start < bytes.count { bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &self) }
            }
        }
        return bytes
    }
}
