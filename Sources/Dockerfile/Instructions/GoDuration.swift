/// Durations as Go writes them: `1h30m`, `1.5s`, `200ms`. In whole numbers: the standard library
/// alone has no rounding.
enum GoDuration {
    private static let units: [String: Int64] = [
        "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    /// The nanoseconds of a text, nil if it is not a duration or is negative or too long.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let whole = rest.prefix(while: ASCII.isDigit)
            rest = rest[whole.endIndex...]
            var fraction: ArraySlice<UInt8> = []
            if rest.first == UInt8(ascii: ".") {
                fraction = rest.dropFirst().prefix(while: ASCII.isDigit)
                rest = rest.dropFirst(1 + fraction.count)
            }
            let name = rest.prefix { !ASCII.isDigit($0) && $0 != UInt8(ascii: ".") }
            rest = rest[name.endIndex...]
            guard let unit = units[name.text], !(whole.isEmpty && fraction.isEmpty),
                let number = whole.isEmpty ? 0 : Int64(whole.text)
            else { return nil }
            let (product, tooLong) = number.multipliedReportingOverflow(by: unit)
            let (sum, tooLongYet) = total.addingReportingOverflow(product)
            let (end, tooLongNow) = sum.addingReportingOverflow(part(fraction, of: unit))
            if tooLong || tooLongYet || tooLongNow { return nil }
            total = end
        }
        return total
    }

    /// Decimals of a unit in nanoseconds; those behind the sixth do not count. No unit has more than 3.6 · 10¹²
    /// nanoseconds, so the product stays below 2⁶³.
    private static func part(_ decimals: ArraySlice<UInt8>, of unit: Int64) -> Int64 {
        var numerator: Int64 = 0
        var scale: Int64 = 1
        for digit in decimals.prefix(6) {
            numerator = numerator * 10 + Int64(digit - UInt8(ascii: "0"))
            scale *= 10
        }
        return numerator * unit / scale
    }
}
