/// The grammar of image names (the distribution project's `reference` package), as far as to say yes or no.
enum ImageNameGrammar {
    /// Whether a text, not empty, can be the name of an image: `[domain/]path[:tag][@digest]`.
    static func allows(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        // The ID of an image is none.
        if rest.count == 64, rest.allSatisfy(isLowercaseHex) { return false }
        if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            guard isDigest(rest[(at + 1)...]) else { return false }
            rest = rest[..<at]
        }
        let nameStart = rest.lastIndex(of: ASCII.slash).map { $0 + 1 } ?? rest.startIndex
        if let colon = rest[nameStart...].firstIndex(of: ASCII.colon) {
            guard isTag(rest[(colon + 1)...]) else { return false }
            rest = rest[..<colon]
        }
        var names = rest.split(separator: ASCII.slash, omittingEmptySubsequences: false)
        if let first = names.first, names.count > 1, isDomain(first) { names.removeFirst() }
        return rest.count <= 255 && names.allSatisfy(isPathName)
    }

    /// Docker's rule: what could not be a user's name is a host.
    private static func isDomain(_ name: ArraySlice<UInt8>) -> Bool {
        name.contains(UInt8(ascii: ".")) || name.contains(ASCII.colon) || name.elementsEqual("localhost".utf8)
            || name.contains { ASCII.isLetter($0) && $0 & 0x20 == 0 }
    }

    /// Lower-case letters and digits, with one `.`, one or two `_` or any number of `-` between them.
    private static func isPathName(_ name: ArraySlice<UInt8>) -> Bool {
        guard let first = name.first, let last = name.last, isWord(first), isWord(last) else { return false }
        return name.split(whereSeparator: isWord).allSatisfy { separator in
            separator.elementsEqual(".".utf8) || separator.elementsEqual("_".utf8)
                || separator.elementsEqual("__".utf8) || separator.allSatisfy { $0 == ASCII.dash }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
    }

    private static func isTag(_ tag: ArraySlice<UInt8>) -> Bool {
        guard let first = tag.first, ASCII.isName(first), tag.count <= 128 else { return false }
        return tag.allSatisfy { ASCII.isName($0) || $0 == UInt8(ascii: ".") || $0 == ASCII.dash }
    }

    private static func isDigest(_ digest: ArraySlice<UInt8>) -> Bool {
        guard let colon = digest.firstIndex(of: ASCII.colon), colon > digest.startIndex else { return false }
        let hex = digest[(colon + 1)...]
        return hex.count >= 32 && hex.allSatisfy(isLowercaseHex)
    }

    private static func isLowercaseHex(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"))
    }
}

/// The words of a platform such as `linux/arm64/v8`; a word on its own is a system or an architecture.
struct PlatformWords {
    let system: String?
    let architecture: String?

    private static let architectures: [String: String] = [
        "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "armel": "arm", "i386": "386",
    ]
    private static let systems: Set<String> = ["linux", "windows", "darwin", "freebsd", "macos"]

    /// Nil for what is no platform.
    init?(_ text: String) {
        let words = text.asciiLowercased.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let isWellFormed = words.allSatisfy { word in
            !word.isEmpty && word.utf8.allSatisfy { ASCII.isName($0) || $0 == ASCII.dash || $0 == UInt8(ascii: ".") }
        }
        guard isWellFormed, let first = words.first, words.count <= 3 else { return nil }
        if words.count > 1 {
            system = first
            architecture = PlatformWords.architectures[words[1]] ?? words[1]
        } else if PlatformWords.systems.contains(first) {
            (system, architecture) = (first, nil)
        } else {
            (system, architecture) = ("linux", PlatformWords.architectures[first] ?? first)
        }
    }
}
