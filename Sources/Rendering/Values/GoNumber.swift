import Glibc

/// Numbers with a fraction as Go's `strconv` writes them.
enum GoNumber {
    /// The digits of a finite number without zeros at their end, and the power of ten of `0.DIGITS`.
    struct Decimal {
        var digits: [UInt8]
        var point: Int
    }

    /// The shortest text that reads as the same number, as `%v` and `%g` give it: an exponent below 1e-4 and from 1e6 on.
    static func shortest(_ value: Double, upperCase: Bool = false) -> String {
        if let special = special(value) { return special }
        let decimal = decimal(value)
        let exponent = decimal.point - 1
        if value != 0, exponent < -4 || exponent >= 6 { return scientific(value, nil, upperCase: upperCase) }
        return fixed(value, nil)
    }

    /// As JSON has it in Go: an exponent below 1e-6 and from 1e21 on, which is not filled up to two digits.
    static func json(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == 0 || (abs(value) >= 1e-6 && abs(value) < 1e21) { return fixed(value, nil) }
        return scientific(value, nil).replacing("e-0", with: "e-")
    }

    /// `%f`, with so many places or as many as it needs.
    static func fixed(_ value: Double, _ places: Int?) -> String {
        if let special = special(value) { return special }
        if let places { return printed("%.*f", places, value) }
        let decimal = decimal(value)
        var whole = ""
        for index in 0..<max(0, decimal.point) { whole += digit(decimal, index) }
        var fraction = ""
        for index in 0..<max(0, decimal.digits.count - decimal.point) {
            fraction += digit(decimal, decimal.point + index)
        }
        let sign = value.sign == .minus ? "-" : ""
        return sign + (whole.isEmpty ? "0" : whole) + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// `%e`, with so many places or as many as it needs.
    static func scientific(_ value: Double, _ places: Int?, upperCase: Bool = false) -> String {
        special(value) ?? printed(upperCase ? "%.*E" : "%.*e", places ?? max(0, decimal(value).digits.count - 1), value)
    }

    /// `%g` with so many digits.
    static func general(_ value: Double, _ precision: Int, upperCase: Bool = false) -> String {
        special(value) ?? printed(upperCase ? "%.*G" : "%.*g", precision, value)
    }

    /// What printf(3) makes of a number; it rounds as Go does.
    private static func printed(_ format: String, _ places: Int, _ value: Double) -> String {
        // Before the point are at most 309 digits.
        let text = [CChar](unsafeUninitializedCapacity: places + 400) { buffer, count in
            count = withVaList([CInt(places), value]) {
                Int(vsnprintf(buffer.baseAddress, buffer.count, format, $0))
            }
        }
        return String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : nil
    }

    private static func digit(_ decimal: Decimal, _ index: Int) -> String {
        guard decimal.digits.indices.contains(index) else { return "0" }
        return String(decimal.digits[index])
    }

    /// The digits of the shortest text, which Swift's own description has.
    private static func decimal(_ value: Double) -> Decimal {
        let parts = abs(value).description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        var digits = mantissa.joined().compactMap { $0.wholeNumberValue.map(UInt8.init) }
        while digits.first == 0 {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == 0 { digits.removeLast() }
        return Decimal(digits: digits, point: digits.isEmpty ? 0 : point)
    }
}
