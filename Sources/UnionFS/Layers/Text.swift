internal import FUSE
internal import Glibc

/// Bytes followed by a zero, borrowed: a name or a path.
typealias Text = Name

extension Name {
    /// Whether these are the same bytes.
    @inline(__always)
    func equals(_ other: UnsafePointer<CChar>, _ otherLength: Int) -> Bool {
        length == otherLength && memcmp(pointer, other, length) == 0
    }

    /// Whether the bytes start with those of a literal.
    func hasPrefix(_ prefix: StaticString) -> Bool {
        length >= prefix.utf8CodeUnitCount && memcmp(pointer, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
    }

    /// A hash of the bytes that is the same in every run: readdir offsets are made of it.
    func hash(seed: UInt64) -> UInt64 {
        var hash = seed ^ 0x9e37_79b9_7f4a_7c15
        let bytes = UnsafeRawPointer(pointer)
        var position = 0
        while position + 8 <= length {
            hash = Self.mix(hash ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        var rest: UInt64 = 0
        while position < length {
            rest = rest << 8 | UInt64(bytes.load(fromByteOffset: position, as: UInt8.self))
            position += 1
        }
        return Self.mix(hash ^ rest ^ UInt64(truncatingIfNeeded: length) << 56)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
        return product.high ^ product.low
    }
}
