import FoundationEssentials
package import Linux

/// Encodes the headers of an entry: ustar, with a pax extended header where ustar cannot say it.
///
/// The same entry always gives the same bytes: records sorted by key, no names of users, nothing of the time or the
/// machine. IEEE Std 1003.1, "pax Interchange Format"; extended attributes as `SCHILY.xattr.*`, as Docker writes them, or
/// as `LIBARCHIVE.xattr.*` where their names hold a `=`, which ends a key.
package struct TarHeaderWriter {
    package var typeFlag: UInt8
    package var path: [UInt8]
    package var target: [UInt8] = []
    package var permissions: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var size: Int64 = 0
    package var modificationTime = TimeSpec(seconds: 0)
    package var deviceMajor: UInt32 = 0
    package var deviceMinor: UInt32 = 0
    package var attributes: [TarEntry.Attribute] = []

    /// Describes an entry.
    package init(
        typeFlag: UInt8, path: [UInt8], target: [UInt8] = [], permissions: UInt32 = 0, uid: UInt32 = 0, gid: UInt32 = 0,
        size: Int64 = 0, modificationTime: TimeSpec = TimeSpec(seconds: 0), deviceMajor: UInt32 = 0,
        deviceMinor: UInt32 = 0, attributes: [TarEntry.Attribute] = []
    ) {
        self.typeFlag = typeFlag
        self.path = path
        self.target = target
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.size = size
        self.modificationTime = modificationTime
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.attributes = attributes
    }

    private static let largestOctal11: Int64 = 0o77_777_777_777
    private static let largestOctal7: UInt32 = 0o7_777_777

    /// The header blocks, extended ones included.
    package func encoded() -> [UInt8] {
        let records = paxRecords()
        if records.isEmpty { return block() }
        var content: [UInt8] = []
        for (key, value) in records { content += TarHeaderWriter.record(key, value) }
        let extended = TarHeaderWriter(
            typeFlag: UInt8(ascii: "x"), path: Array("PaxHeaders.0/".utf8) + TarHeaderWriter.lastComponent(path),
            permissions: 0o644, size: Int64(content.count))
        var result = extended.block()
        result += content
        result += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        result += block()
        return result
    }

    // MARK: pax

    private func paxRecords() -> [(key: [UInt8], value: [UInt8])] {
        var records: [(key: [UInt8], value: [UInt8])] = []
        func add(_ key: String, _ value: String) { records.append((Array(key.utf8), Array(value.utf8))) }
        if !TarHeaderWriter.fits(path) { records.append((Array("path".utf8), path)) }
        if !TarHeaderWriter.fits(target) { records.append((Array("linkpath".utf8), target)) }
        if size > TarHeaderWriter.largestOctal11 { add("size", "\(size)") }
        if uid > TarHeaderWriter.largestOctal7 { add("uid", "\(uid)") }
        if gid > TarHeaderWriter.largestOctal7 { add("gid", "\(gid)") }
        if deviceMajor > TarHeaderWriter.largestOctal7 { add("SCHILY.devmajor", "\(deviceMajor)") }
        if deviceMinor > TarHeaderWriter.largestOctal7 { add("SCHILY.devminor", "\(deviceMinor)") }
        if modificationTime.nanoseconds != 0
            || !(0...TarHeaderWriter.largestOctal11).contains(modificationTime.seconds)
        {
            records.append((Array("mtime".utf8), TarHeaderWriter.decimal(modificationTime)))
        }
        records += attributes.map(TarHeaderWriter.record(of:))
        return records.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    private static func record(of attribute: TarEntry.Attribute) -> (key: [UInt8], value: [UInt8]) {
        guard attribute.name.contains(UInt8(ascii: "=")) else {
            return (Array("SCHILY.xattr.".utf8) + attribute.name, attribute.value)
        }
        let digits = Array("0123456789ABCDEF".utf8)
        let name = attribute.name.flatMap { byte -> [UInt8] in
            let isPlain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "%")
            return isPlain ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return (Array("LIBARCHIVE.xattr.".utf8) + name, Array(Data(attribute.value).base64EncodedString().utf8))
    }

    /// `length key=value\n`, where the length counts its own digits.
    private static func record(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let rest = key.count + value.count + 3
        var length = rest + String(rest).utf8.count
        length = rest + String(length).utf8.count
        return Array(String(length).utf8) + [0x20] + key + [0x3D] + value + [0x0A]
    }

    private static func decimal(_ time: TimeSpec) -> [UInt8] {
        var (seconds, nanoseconds) = (time.seconds, time.nanoseconds)
        let isNegative = seconds < 0
        if isNegative {
            // -1.5 is stored as -2 seconds and half a second.
            if nanoseconds != 0 {
                seconds += 1
                nanoseconds = 1_000_000_000 - nanoseconds
            }
            seconds = seconds == Int64.min ? Int64.max : -seconds
        }
        var text = (isNegative ? "-" : "") + String(seconds)
        if nanoseconds != 0 {
            let digits = String(nanoseconds)
            text += "." + String(repeating: "0", count: max(0, 9 - digits.utf8.count)) + digits
            while text.last == "0" { text.removeLast() }
        }
        return Array(text.utf8)
    }

    private static func lastComponent(_ path: [UInt8]) -> [UInt8] {
        let parts = path.split(separator: UInt8(ascii: "/"))
        return Array((parts.last ?? [0x2E]).prefix(80))
    }

    /// ustar fields hold 100 bytes; anything but ASCII is left to the extended header, whose names are UTF-8 by
    /// definition and bytes in practice.
    private static func fits(_ name: [UInt8]) -> Bool { name.count <= 100 && name.allSatisfy { $0 < 0x80 } }

    // MARK: ustar

    private func block() -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at position: Int) {
            block.replaceSubrange(position..<position + bytes.count, with: bytes)
        }
        func octal(_ value: Int64, at position: Int, width: Int) {
            var rest = value
            for index in stride(from: position + width - 1, through: position, by: -1) {
                block[index] = 0x30 + UInt8(truncatingIfNeeded: rest & 7)
                rest >>= 3
            }
        }
        put(path.prefix(100), at: 0)
        octal(Int64(permissions), at: 100, width: 7)
        octal(Int64(min(uid, TarHeaderWriter.largestOctal7)), at: 108, width: 7)
        octal(Int64(min(gid, TarHeaderWriter.largestOctal7)), at: 116, width: 7)
        octal(min(size, TarHeaderWriter.largestOctal11), at: 124, width: 11)
        octal(min(max(modificationTime.seconds, 0), TarHeaderWriter.largestOctal11), at: 136, width: 11)
        put([UInt8](repeating: 0x20, count: 8), at: 148)
        block[156] = typeFlag
        put(target.prefix(100), at: 157)
        put("ustar\0".utf8, at: 257)
        put("00".utf8, at: 263)
        octal(Int64(min(deviceMajor, TarHeaderWriter.largestOctal7)), at: 329, width: 7)
        octal(Int64(min(deviceMinor, TarHeaderWriter.largestOctal7)), at: 337, width: 7)
        let sum = block.reduce(into: Int64(0)) { $0 += Int64($1) }
        octal(sum, at: 148, width: 6)
        block[154] = 0
        return block
    }
}
