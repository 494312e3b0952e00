/// Durations as Go writes them: `1h30m`, `1.5s`, `200ms`.
enum GoDuration {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// The nanoseconds of a text, nil if it is not a duration or is negative or too long.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = text.hasPrefix("+") ? text.dropFirst() : text[...]
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
            rest = rest[unit.endIndex...]
            guard let value = Double(number), let factor = units.first(where: { $0.name == unit })?.nanoseconds else {
                return nil
            }
            total += value * factor
        }
        return Int64(exactly: total.rounded())
    }
}
