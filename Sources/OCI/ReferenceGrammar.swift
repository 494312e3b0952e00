/// The character rules of image names, from the distribution project's grammar.
enum ReferenceGrammar {
    static func check(domain: String, path: String, of text: String) throws(OCIError) {
        func refuse(_ why: String) -> OCIError { OCIError(.badReference, "invalid reference \"\(text)\": \(why)") }
        guard isDomain(domain) else { throw refuse("\"\(domain)\" is not a host name") }
        if domain.utf8.count + 1 + path.utf8.count > 255 { throw refuse("the repository is longer than 255 bytes") }
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        if components.allSatisfy(isPathComponent) { return }
        if path.contains(where: \.isUppercase) { throw refuse("the repository must be in lower case") }
        throw refuse("a repository is made of lower-case letters, digits and single separators (. _ __ -)")
    }

    static func badTag(_ tag: String, in text: String) -> OCIError {
        OCIError(
            .badReference,
            "invalid reference \"\(text)\": tag \"\(tag)\" is not 1 to 128 letters, digits, '_', '.' or '-', "
                + "the first neither '.' nor '-'")
    }

    /// `[\w][\w.-]{0,127}`
    static func isTag(_ tag: some StringProtocol) -> Bool {
        guard let first = tag.utf8.first, (1...128).contains(tag.utf8.count) else { return false }
        guard isLetterOrDigit(first) || first == UInt8(ascii: "_") else { return false }
        return tag.utf8.allSatisfy {
            isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
    }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
    private static func isPathComponent(_ component: Substring) -> Bool {
        var separator: [UInt8] = []
        var sawName = false
        for byte in component.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                if !separator.isEmpty, !sawName || !isSeparator(separator) { return false }
                separator = []
                sawName = true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                separator.append(byte)
            default: return false
            }
        }
        return sawName && separator.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes == Array(".".utf8) || bytes == Array("_".utf8) || bytes == Array("__".utf8)
            || bytes.allSatisfy { $0 == UInt8(ascii: "-") }
    }

    /// A host name, an IPv4 address or an IPv6 address in brackets, with an optional port.
    private static func isDomain(_ domain: String) -> Bool {
        var host = Substring(domain)
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let address = host[host.index(after: host.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ $0.isHexDigit || $0 == ":" }) else { return false }
            host = host[host.index(after: end)...]
            return host.isEmpty || (host.hasPrefix(":") && isPort(host.dropFirst()))
        }
        if let colon = host.firstIndex(of: ":") {
            guard isPort(host[host.index(after: colon)...]) else { return false }
            host = host[..<colon]
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return isLetterOrDigit(first) && isLetterOrDigit(last)
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
