package import OCI

/// Sizes and durations as Docker prints them (its `go-units`).
package enum HumanUnits {
    private static let suffixes = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

    /// A number of bytes in powers of 1000, rounded to a few digits: `0B`, `72.8MB`, `1.2GB`.
    ///
    /// - Parameter digits: significant digits; Docker uses 3 in lists and 4 in `system df`.
    package static func size(_ bytes: Int64, digits: Int = 3) -> String {
        guard bytes > 0 else { return bytes == 0 ? "0B" : "-" + size(bytes == .min ? .max : -bytes, digits: digits) }
        var unit = 0
        var scale: Int64 = 1
        while unit < suffixes.count - 1, bytes / scale >= 1000 {
            scale *= 1000
            unit += 1
        }
        let rounded = significant(bytes, per: scale, digits: digits)
        // What rounds up to a thousand is one of the next unit.
        if rounded == "1000", unit < suffixes.count - 1 { return "1" + suffixes[unit + 1] }
        return rounded + suffixes[unit]
    }

    /// `value / scale` with so many significant digits and no zeros at the end. The quotient is below 1000.
    private static func significant(_ value: Int64, per scale: Int64, digits: Int) -> String {
        let whole = value / scale
        let places = max(0, digits - String(whole).count)
        var factor: Int64 = 1
        for _ in 0..<places { factor *= 10 }
        // The rest is below the scale, at most 10^18, so that it is taken in smaller units before it is multiplied.
        let unit = max(1, scale / 1_000_000)
        let units = scale / unit
        var fraction = ((value % scale) / unit * factor * 2 + units) / (2 * units)
        var integer = whole
        if fraction >= factor {
            integer += 1
            fraction = 0
        }
        var text = String(fraction)
        text = String(repeating: "0", count: max(0, places - text.count)) + text
        while text.last == "0" { text.removeLast() }
        return text.isEmpty ? String(integer) : "\(integer).\(text)"
    }

    /// Bytes of a size as users write it: `512MB`, `1.5g`, `2GiB`, `1024`. Units are powers of 1024, as Docker reads
    /// limits.
    package static func bytes(_ text: String) throws(RenderingError) -> Int64 {
        var rest = Substring(text.lowercased())
        if rest.hasSuffix("b") { rest = rest.dropLast() }
        if rest.hasSuffix("i") { rest = rest.dropLast() }
        var scale = 1.0
        if let unit = rest.last, let power = "kmgtp".firstIndex(of: unit) {
            for _ in 0...("kmgtp".distance(from: "kmgtp".startIndex, to: power)) { scale *= 1024 }
            rest = rest.dropLast()
        }
        guard let number = Double(rest), number >= 0, number * scale < 9e18 else {
            throw RenderingError(
                .size, "invalid size \"\(text)\"", remedy: "use bytes, or a number with kB, MB, GB or TB")
        }
        return Int64(number * scale)
    }

    /// A span of time in one unit: `Less than a second`, `5 seconds`, `About an hour`, `3 weeks`.
    package static func duration(seconds: Int64) -> String {
        let minutes = seconds / 60
        // To the nearest hour.
        let hours = (seconds + 1800) / 3600
        switch true {
        case seconds < 1: return "Less than a second"
        case seconds == 1: return "1 second"
        case seconds < 60: return "\(seconds) seconds"
        case minutes == 1: return "About a minute"
        case minutes < 60: return "\(minutes) minutes"
        case hours == 1: return "About an hour"
        case hours < 48: return "\(hours) hours"
        case hours < 24 * 7 * 2: return "\(hours / 24) days"
        case hours < 24 * 30 * 2: return "\(hours / 24 / 7) weeks"
        case hours < 24 * 365 * 2: return "\(hours / 24 / 30) months"
        default: return "\(hours / 24 / 365) years"
        }
    }

    /// How long ago something was: `2 minutes ago`.
    package static func ago(_ time: Timestamp, now: Timestamp = .now) -> String {
        duration(seconds: now.seconds - time.seconds) + " ago"
    }

    /// A time in the form of Go's default: `2024-05-01 12:00:00 +0000 UTC`.
    package static func time(_ time: Timestamp) -> String {
        let text = Timestamp(seconds: time.seconds).description
        return text.replacing("T", with: " ").replacing("Z", with: "") + " +0000 UTC"
    }
}
