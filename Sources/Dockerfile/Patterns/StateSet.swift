/// The places in a pattern where a matcher can be: a set of small numbers that needs no memory of its own below 64,
/// which is nearly every pattern.
struct StateSet {
    private var low: UInt64 = 0
    private var high: [UInt64]

    /// An empty set for numbers up to, and with, a limit.
    init(upTo limit: Int) {
        high = limit < 64 ? [] : Array(repeating: 0, count: limit / 64)
    }

    var isEmpty: Bool { low == 0 && high.allSatisfy { $0 == 0 } }

    func contains(_ number: Int) -> Bool {
        let word = number < 64 ? low : high[number / 64 - 1]
        return word >> UInt64(number % 64) & 1 == 1
    }

    mutating func insert(_ number: Int) {
        let bit = UInt64(1) << UInt64(number % 64)
        if number < 64 { low |= bit } else { high[number / 64 - 1] |= bit }
    }
}
