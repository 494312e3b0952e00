/// The digest of a blob: the name by which content is stored, fetched and verified.
///
/// image-spec, "Digests". Only `sha256` is supported, the one algorithm every implementation must have.
public struct Digest: Hashable, Comparable, Sendable {
    /// The hash functions that can name content.
    public enum Algorithm: String, Hashable, Sendable {
        case sha256
    }

    /// The hash function.
    public let algorithm: Algorithm
    /// The value in lower-case hexadecimal, 64 digits.
    public let hex: String

    /// Takes the value of a SHA-256 in lower-case hexadecimal; `badDigest` when it is not 64 such digits.
    public init(hex: String) throws(OCIError) {
        guard Digest.isHex(hex) else {
            throw OCIError(.badDigest, "digest \"\(hex)\" is not 64 lower-case hexadecimal digits")
        }
        self.algorithm = .sha256
        self.hex = hex
    }

    /// Parses `sha256:<64 hexadecimal digits>`; `badDigest` for anything else.
    public init(parsing text: String) throws(OCIError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw OCIError(.badDigest, "digest \"\(text)\" is not of the form algorithm:value")
        }
        guard Algorithm(rawValue: String(parts[0])) != nil else {
            throw OCIError(.badDigest, "digest \"\(text)\" uses the algorithm \(parts[0]), only sha256 is supported")
        }
        try self.init(hex: String(parts[1]))
    }

    /// The 32 bytes of a finished hash.
    init(bytes: some Sequence<UInt8>) {
        algorithm = .sha256
        hex = Digest.hexadecimal(bytes)
    }

    /// The first 12 digits of the value, as tables show it.
    public var short: String { String(hex.prefix(12)) }

    public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }

    /// Whether a text could be the value of a SHA-256.
    public static func isHex(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// Bytes in lower-case hexadecimal, two digits each.
    public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Digest: CustomStringConvertible {
    /// `sha256:` and the value.
    public var description: String { "\(algorithm.rawValue):\(hex)" }
}

extension Digest: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
