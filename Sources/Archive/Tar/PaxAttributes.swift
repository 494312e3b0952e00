package import Linux

/// What extended headers say of an entry: IEEE Std 1003.1, "pax Extended Header", with the additions of star
/// (`SCHILY.*`), libarchive (`LIBARCHIVE.*`) and GNU tar (`GNU.sparse.*`).
package struct PaxAttributes {
    package var path: [UInt8]?
    package var linkPath: [UInt8]?
    package var size: Int64?
    package var uid: Int64?
    package var gid: Int64?
    package var modificationTime: TimeSpec?
    package var deviceMajor: Int64?
    package var deviceMinor: Int64?
    private var attributes = AttributeList()
    /// Attributes in libarchive's encoding, which counts only where star's is missing.
    private var encodedAttributes = AttributeList()
    package var sparse = Sparse()
    private static let attributePrefix = Array("SCHILY.xattr.".utf8)
    /// More than any file system keeps of one file: Linux lists at most 64 KiB of names.
    package static let maximumAttributes = 4096
    /// Whether that is why `read` failed.
    package var hasTooManyAttributes: Bool { attributes.isOverfull || encodedAttributes.isOverfull }

    /// Attributes in the order they came, each once.
    private struct AttributeList {
        private(set) var items: [TarEntry.Attribute] = []
        private(set) var places: [[UInt8]: Int] = [:]
        /// Whether there were more than there may be.
        private(set) var isOverfull = false

        /// Adds an attribute, or changes its value; false when there are too many.
        mutating func set(_ name: [UInt8], _ value: [UInt8]) -> Bool {
            if let place = places[name] {
                items[place].value = value
                return true
            }
            isOverfull = items.count >= PaxAttributes.maximumAttributes
            if isOverfull { return false }
            places[name] = items.count
            items.append(TarEntry.Attribute(name: name, value: value))
            return true
        }
    }

    /// GNU tar's descriptions of a file with holes, versions 0.0, 0.1 and 1.0.
    package struct Sparse {
        var isPresent = false
        var major: Int64 = 0
        var name: [UInt8]?
        var size: Int64?
        var extents: [TarEntry.Extent] = []
    }

    /// All extended attributes, each once.
    package var allAttributes: [TarEntry.Attribute] {
        attributes.items + encodedAttributes.items.filter { attributes.places[$0.name] == nil }
    }

    /// Reads `length key=value\n` records over what was said before; nil when they are malformed.
    package mutating func read(_ content: [UInt8]) -> Bool {
        var rest = content[...]
        while let first = rest.first {
            // Some writers pad the records with zeros.
            if first == 0 { return rest.allSatisfy { $0 == 0 } }
            guard let space = rest.firstIndex(of: 0x20), let length = Pax.integer(rest[rest.startIndex..<space]),
                length > 0, Int(length) <= rest.count
            else { return false }
            let end = rest.startIndex + Int(length)
            guard space + 1 < end, rest[end - 1] == 0x0A else { return false }
            let record = rest[(space + 1)..<(end - 1)]
            guard let equals = record.firstIndex(of: 0x3D) else { return false }
            guard set(record[..<equals], record[(equals + 1)...]) else { return false }
            rest = rest[end...]
        }
        return true
    }

    private mutating func set(_ bytes: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
        // Names of attributes are bytes.
        if bytes.starts(with: PaxAttributes.attributePrefix) {
            return attributes.set(Array(bytes.dropFirst(PaxAttributes.attributePrefix.count)), Array(value))
        }
        let key = String(decoding: bytes, as: UTF8.self)
        switch key {
        case "path": path = value.isEmpty ? nil : Array(value)
        case "linkpath": linkPath = value.isEmpty ? nil : Array(value)
        case "size": return Pax.store(value, in: &size)
        case "uid": return Pax.store(value, in: &uid)
        case "gid": return Pax.store(value, in: &gid)
        case "SCHILY.devmajor": return Pax.store(value, in: &deviceMajor)
        case "SCHILY.devminor": return Pax.store(value, in: &deviceMinor)
        case "mtime":
            guard let time = Pax.time(value) else { return value.isEmpty }
            modificationTime = time
        case "SCHILY.acl.access": return setList("system.posix_acl_access", value)
        case "SCHILY.acl.default": return setList("system.posix_acl_default", value)
        default:
            if key.hasPrefix("LIBARCHIVE.xattr.") {
                guard let name = Pax.percentDecoded(Array(key.utf8.dropFirst(17))), let decoded = Pax.base64(value)
                else { return false }
                return encodedAttributes.set(name, decoded)
            } else if key.hasPrefix("GNU.sparse.") {
                return setSparse(String(key.dropFirst(11)), value)
            }
        }
        return true
    }

    private mutating func setList(_ name: String, _ text: ArraySlice<UInt8>) -> Bool {
        guard let value = AccessList.attribute(parsing: String(decoding: text, as: UTF8.self)) else { return false }
        return attributes.set(Array(name.utf8), value)
    }

    private mutating func setSparse(_ key: String, _ value: ArraySlice<UInt8>) -> Bool {
        sparse.isPresent = true
        switch key {
        case "major":
            guard let major = Pax.integer(value) else { return false }
            sparse.major = major
        case "name": sparse.name = Array(value)
        case "realsize", "size": return Pax.store(value, in: &sparse.size)
        case "offset":
            guard let offset = Pax.integer(value) else { return false }
            sparse.extents.append(TarEntry.Extent(offset: offset, length: 0))
        case "numbytes":
            guard let length = Pax.integer(value), !sparse.extents.isEmpty else { return false }
            sparse.extents[sparse.extents.count - 1].length = length
        case "map":
            let numbers = value.split(separator: 0x2C, omittingEmptySubsequences: false).map { Pax.integer($0) }
            guard numbers.count % 2 == 0 else { return value.isEmpty }
            sparse.extents = []
            for index in stride(from: 0, to: numbers.count, by: 2) {
                guard let offset = numbers[index], let length = numbers[index + 1] else { return false }
                sparse.extents.append(TarEntry.Extent(offset: offset, length: length))
            }
        default: break
        }
        return true
    }
}

/// The forms in which extended headers write values.
package enum Pax {
    /// The digits of the largest number.
    package static let maximumDigits = 19

    /// A decimal number that is not negative.
    package static func integer(_ text: some Collection<UInt8>) -> Int64? {
        guard !text.isEmpty, text.count <= maximumDigits else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte - 0x30))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// Stores a number; an empty value takes an earlier one back. False when it is malformed.
    package static func store(_ text: ArraySlice<UInt8>, in place: inout Int64?) -> Bool {
        if text.isEmpty {
            place = nil
            return true
        }
        guard let value = integer(text) else { return false }
        place = value
        return true
    }

    /// Seconds since 1970 with an optional sign and fraction.
    package static func time(_ text: ArraySlice<UInt8>) -> TimeSpec? {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = isNegative ? text.dropFirst() : text
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let seconds = integer(whole) else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            var fraction = parts[1].prefix(9)
            guard parts[1].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            fraction += [UInt8](repeating: 0x30, count: 9 - fraction.count)
            nanoseconds = integer(fraction) ?? 0
        }
        if !isNegative { return TimeSpec(seconds: seconds, nanoseconds: nanoseconds) }
        return nanoseconds == 0
            ? TimeSpec(seconds: -seconds) : TimeSpec(seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds)
    }

    package static func percentDecoded(_ text: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%") {
                guard index + 2 < text.count,
                    let byte = UInt8(String(decoding: text[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
                else { return nil }
                result.append(byte)
                index += 3
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    /// Base 64 with or without its padding.
    package static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var (bits, count): (UInt32, Int) = (0, 0)
        for byte in text where byte != UInt8(ascii: "=") && byte != 0x0A {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(digit)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
