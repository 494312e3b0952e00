package import OCI

/// Points in time as users give them.
package enum TimePoint {
    /// Parses RFC 3339, a date, seconds since 1970, or a duration before now such as `1h30m`.
    package static func parse(_ text: String, now: Timestamp = .now) throws(EngineError) -> Timestamp {
        if let seconds = duration(text) {
            return Timestamp(seconds: now.seconds - seconds, nanoseconds: now.nanoseconds)
        }
        if let seconds = Int64(text) { return Timestamp(seconds: seconds) }
        for suffix in ["", "Z", ":00Z", "T00:00:00Z"] {
            if let time = try? Timestamp(parsing: text + suffix) { return time }
        }
        throw EngineError(
            .badRequest, "invalid time \"\(text)\"", remedy: "use 2024-05-01T12:00:00Z, seconds since 1970 or 42m")
    }

    /// Seconds of a duration such as `1h30m` or `90s`; nil for anything else.
    private static func duration(_ text: String) -> Int64? {
        var total: Int64 = 0
        var digits = ""
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            let factors: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
            guard let factor = factors[character], let number = Int64(digits), number < 1 << 40, total < 1 << 60
            else { return nil }
            total += number * factor
            digits = ""
        }
        return digits.isEmpty && !text.isEmpty ? total : nil
    }
}
