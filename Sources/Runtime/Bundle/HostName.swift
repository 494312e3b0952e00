import OCI

/// Names of hosts, which become lines of `/etc/hosts` and `/etc/hostname`.
public enum HostName {
    /// The kernel's `HOST_NAME_MAX`: what a machine itself may be called at most, in bytes.
    static let ownLength = 64
    /// RFC 1123, 2.1: what any name may have at most, in bytes.
    static let length = 253

    /// Whether a text names a host as RFC 1123, 2.1 has it: parts of 1 to 63 letters, digits and hyphens, no hyphen at
    /// either end, with dots between them. Underscores count as letters, because Docker's users have them in names.
    public static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= length else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            let hyphen = UInt8(ascii: "-")
            return (1...63).contains(part.count) && part.first != hyphen && part.last != hyphen
                && part.allSatisfy { isLetter($0) || $0 == hyphen }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Throws `badOption` unless a container may have the name.
    static func check(_ name: String) throws(RuntimeError) {
        if isValid(name), name.utf8.count <= ownLength { return }
        throw RuntimeError(
            .badOption, "invalid hostname format: \(name)",
            remedy: "letters, digits and hyphens, with dots between parts; \(ownLength) characters at most")
    }

    /// Throws `badOption` unless both parts may stand in a line of `/etc/hosts`.
    static func check(_ host: Isolation.Host) throws(RuntimeError) {
        let isAddress =
            !host.address.isEmpty
            && host.address.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 0x7f && $0 != UInt8(ascii: "#") }
        if isAddress, isValid(host.name) { return }
        throw RuntimeError(
            .badOption, "invalid host \"\(host.name):\(host.address)\"", remedy: "write it as NAME:ADDRESS")
    }
}
