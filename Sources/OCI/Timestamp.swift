import Glibc

/// A point in time with nanoseconds, written as RFC 3339 in UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    public var seconds: Int64
    /// Nanoseconds into the second, 0..<1,000,000,000.
    public var nanoseconds: Int32

    /// Makes a time from its parts; nanoseconds out of range are clamped.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = min(max(nanoseconds, 0), 999_999_999)
    }

    /// The present.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(truncatingIfNeeded: time.tv_nsec))
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC, such as `2024-05-01T12:00:00.123456789Z`; a zero fraction is left out.
    public var description: String { text(isFixed: false) }

    /// The same with all nine digits of the fraction, so that lines of a log stand below each other.
    public var fixedWidth: String { text(isFixed: true) }

    private func text(isFixed: Bool) -> String {
        // RFC 3339 has years 0 to 9999 only.
        let (days, rest) = Timestamp.dividing(min(max(seconds, -62_167_219_200), 253_402_300_799), by: 86400)
        let (year, month, day) = Timestamp.date(days: days)
        var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
        text += "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
        if isFixed || nanoseconds != 0 {
            var fraction = Substring(padded(Int64(nanoseconds), 9))
            while !isFixed, fraction.last == "0" { fraction.removeLast() }
            text += "." + fraction
        }
        return text + "Z"
    }

    private func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func dividing(_ value: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let rest = (value % divisor + divisor) % divisor
        return ((value - rest) / divisor, rest)
    }

    /// Days since 1970 as a date of the Gregorian calendar; the year is counted from March so that leap days come last.
    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = dividing(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    /// A date of the Gregorian calendar as days since 1970; `month` counts from 1.
    public static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = dividing(shifted, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp {
    /// Parses RFC 3339 with any offset and fraction; digits beyond nanoseconds are dropped. `badTimestamp` otherwise.
    public init(parsing text: String) throws(OCIError) {
        guard let value = Timestamp.parse(Array(text.utf8)) else {
            throw OCIError(.badTimestamp, "\"\(text)\" is not a time in the form of RFC 3339")
        }
        self = value
    }

    private static func parse(_ text: [UInt8]) -> Timestamp? {
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= text.count else { return nil }
            var value: Int64 = 0
            for byte in text[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        func has(_ characters: String, at index: Int) -> Bool {
            index < text.count && characters.utf8.contains(text[index])
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), has("Tt ", at: 10), let hour = number(11..<13), has(":", at: 13),
            let minute = number(14..<16), has(":", at: 16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var fraction: Int32 = 0
        if has(".", at: position) {
            position += 1
            let start = position
            var scale: Int32 = 100_000_000
            while position < text.count, (0x30...0x39).contains(text[position]) {
                fraction += Int32(text[position] - 0x30) * scale
                scale /= 10
                position += 1
            }
            if position == start { return nil }
        }
        var offset: Int64 = 0
        if has("Zz", at: position) {
            position += 1
        } else if has("+-", at: position), let hours = number(position + 1..<position + 3), has(":", at: position + 3),
            let minutes = number(position + 4..<position + 6), hours < 24, minutes < 60
        {
            offset = (hours * 60 + minutes) * 60 * (has("-", at: position) ? -1 : 1)
            position += 6
        } else {
            return nil
        }
        if position != text.count { return nil }
        let total = days(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second - offset
        return Timestamp(seconds: total, nanoseconds: fraction)
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
