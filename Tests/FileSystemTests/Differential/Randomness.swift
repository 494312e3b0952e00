/// Random numbers that a seed determines (SplitMix64), so that a failure can be repeated.
struct Randomness: RandomNumberGenerator {
    private var state: UInt64

    /// Neighbouring seeds give unrelated numbers: the seed is mixed before it becomes the state.
    init(seed: UInt64) { state = Self.mix(seed &+ 0x1234_5678_9abc_def1) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    private static func mix(_ number: UInt64) -> UInt64 {
        var value = number
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// A number below `limit`.
    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &self) }

    /// True in `percent` of a hundred cases.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element? { choices.randomElement(using: &self) }
}
