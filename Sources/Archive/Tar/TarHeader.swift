import Linux

/// The 512 bytes in front of each entry: v7, POSIX ustar, GNU and star; IEEE Std 1003.1, "pax", "ustar Interchange
/// Format".
package struct TarHeader {
    package static let size = 512

    package enum Format {
        case v7, ustar, star, gnu
    }

    private let block: [UInt8]
    package let format: Format

    /// Nil for a block that is no header: its checksum does not fit.
    package init?(_ block: [UInt8]) {
        guard block.count == TarHeader.size else { return nil }
        self.block = block
        let magic = block[257..<265]
        format =
            if magic.elementsEqual("ustar  \0".utf8) {
                .gnu
            } else if magic.prefix(5).elementsEqual("ustar".utf8) {
                block[508..<512].elementsEqual("tar\0".utf8) ? .star : .ustar
            } else {
                .v7
            }
        // The checksum field counts as spaces; some old archives summed signed bytes.
        var (sum, signedSum): (Int64, Int64) = (0, 0)
        for (index, byte) in block.enumerated() {
            let value = (148..<156).contains(index) ? 0x20 : byte
            sum += Int64(value)
            signedSum += Int64(Int8(bitPattern: value))
        }
        guard let stored = number(148, 8), stored == sum || stored == signedSum else { return nil }
    }

    package var typeFlag: UInt8 { block[156] }
    package var mode: Int64? { number(100, 8) }
    package var uid: Int64? { number(108, 8) }
    package var gid: Int64? { number(116, 8) }
    package var size: Int64? { number(124, 12) }
    package var modificationTime: Int64? { number(136, 12) }
    package var deviceMajor: Int64? { format == .v7 ? 0 : number(329, 8) }
    package var deviceMinor: Int64? { format == .v7 ? 0 : number(337, 8) }
    package var linkName: [UInt8] { text(157, 100) }

    package var name: [UInt8] {
        let name = text(0, 100)
        let prefix: [UInt8] =
            switch format {
            case .ustar: text(345, 155)
            case .star: text(345, 131)
            case .v7, .gnu: []
            }
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    /// Old GNU sparse files: the file's size, the first extents, and whether blocks with further ones follow.
    package var gnuSparse: (size: Int64, extents: [TarEntry.Extent], isExtended: Bool)? {
        guard let size = number(483, 12), let extents = TarHeader.extents(block, at: 386, count: 4) else { return nil }
        return (size, extents, block[482] != 0)
    }

    /// Further extents of an old GNU sparse file.
    package static func gnuExtension(_ block: [UInt8]) -> (extents: [TarEntry.Extent], isExtended: Bool)? {
        guard block.count == size, let found = extents(block, at: 0, count: 21) else { return nil }
        return (found, block[504] != 0)
    }

    private static func extents(_ block: [UInt8], at start: Int, count: Int) -> [TarEntry.Extent]? {
        var result: [TarEntry.Extent] = []
        for index in 0..<count {
            let position = start + index * 24
            if block[position] == 0 { break }
            guard let offset = number(block[position..<position + 12]),
                let length = number(block[position + 12..<position + 24])
            else { return nil }
            result.append(TarEntry.Extent(offset: offset, length: length))
        }
        return result
    }

    private func text(_ start: Int, _ length: Int) -> [UInt8] {
        Array(block[start..<start + length].prefix { $0 != 0 })
    }

    private func number(_ start: Int, _ length: Int) -> Int64? { TarHeader.number(block[start..<start + length]) }

    /// Octal digits between blanks, or GNU's big-endian binary with the top bit set; nil for anything else.
    package static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            // Two's complement; the top bit is the mark, the next one the sign.
            var value: Int64 = first & 0x40 != 0 ? -1 : 0
            value = value << 6 | Int64(first & 0x3f)
            for byte in field.dropFirst() {
                guard value >= -(1 << 54), value < 1 << 54 else { return nil }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        var value: Int64 = 0
        var rest = field.drop { $0 == 0x20 || $0 == 0 }
        while let byte = rest.first, (0x30...0x37).contains(byte) {
            guard value < 1 << 59 else { return nil }
            value = value << 3 | Int64(byte - 0x30)
            rest = rest.dropFirst()
        }
        return rest.allSatisfy { $0 == 0x20 || $0 == 0 } ? value : nil
    }
}
