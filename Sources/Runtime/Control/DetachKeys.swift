public import OCI

/// The keys that end an attachment and leave the container as it is; Docker's `--detach-keys`.
public struct DetachKeys: Hashable, Sendable {
    private let sequence: [UInt8]
    /// How many of them came so far.
    private var matched = 0

    /// Ctrl-P and Ctrl-Q after each other.
    public static let standard = DetachKeys(sequence: [0x10, 0x11])

    private init(sequence: [UInt8]) { self.sequence = sequence }

    /// Parses keys separated by commas: a letter, or `ctrl-` with one of `a` to `z`, `@`, `[`, `\`, `]`, `^` and `_`.
    /// `badOption` for anything else.
    public init(parsing text: String) throws(RuntimeError) {
        var sequence: [UInt8] = []
        for key in text.split(separator: ",", omittingEmptySubsequences: false) {
            let bytes = Array(key.utf8)
            if bytes.count == 1 {
                sequence.append(bytes[0])
            } else if let byte = Self.control(key) {
                sequence.append(byte)
            } else {
                throw RuntimeError(
                    .badOption, "invalid detach keys (\(text))",
                    remedy: "use letters and ctrl-LETTER, with commas between")
            }
        }
        self.init(sequence: sequence)
    }

    private static func control(_ key: Substring) -> UInt8? {
        guard key.hasPrefix("ctrl-"), key.utf8.count == 6, let byte = key.utf8.last else { return nil }
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return byte - 0x60
        case UInt8(ascii: "@"): return 0
        case UInt8(ascii: "[")...UInt8(ascii: "_"): return byte - 0x40
        default: return nil
        }
    }

    /// Takes what was typed. Returns what goes to the container, and whether the keys were among it; what could be their
    /// beginning is kept back.
    mutating func pass(_ bytes: some Sequence<UInt8>) -> (bytes: [UInt8], isDetached: Bool) {
        if sequence.isEmpty { return (Array(bytes), false) }
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == sequence[matched] {
                matched += 1
                if matched == sequence.count { return (passed, true) }
                continue
            }
            passed += sequence[..<matched]
            matched = byte == sequence[0] ? 1 : 0
            if matched == 0 { passed.append(byte) }
        }
        return (passed, false)
    }
}
