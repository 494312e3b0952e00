/// A git repository as an address, with what of it is meant: `https://host/name.git#ref:directory`, `git@host:name`,
/// `ssh://…`, `git://…` (Dockerfile reference, "ADD from Git repositories").
struct GitReference: Hashable, Sendable {
    /// What git is given.
    var address: String
    /// A branch, tag or commit; nil for the one that the repository has checked out.
    var revision: String?
    /// A directory of the repository, without slashes at either end; empty for all of it.
    var directory: String
    /// The commit that it has to be, or how its name begins.
    var commit: String?
    /// Whether git's own directory is to stay.
    var keepsMetadata = false
    /// What is wrong with the address, though it is a repository's.
    var fault: String?

    /// Reads an address; nil for anything that is no repository by its form.
    ///
    /// An `http` address is one if its path ends in `.git`.
    init?(_ text: String) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let whole = parts.first, Self.isRepository(whole) else { return nil }
        // As BuildKit has it since 0.20: `?ref=…&subdir=…` for all that is no `user@host:path`.
        let halvesOfAddress = whole.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let hasQuery = halvesOfAddress.count == 2 && whole.contains("://")
        address = hasQuery ? halvesOfAddress[0] : whole
        let fragment = parts.count == 2 ? parts[1] : ""
        let halves = fragment.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        revision = halves.first.flatMap { $0.isEmpty ? nil : $0 }
        directory = halves.count == 2 ? Self.trimmed(halves[1]) : ""
        if hasQuery { fault = takeQuery(halvesOfAddress[1]) }
    }

    private static func trimmed(_ path: String) -> String {
        var path = String(path.drop { $0 == "/" })
        while path.last == "/" { path.removeLast() }
        return path
    }

    /// Takes what an address says behind its question mark; returns what is wrong with it.
    private mutating func takeQuery(_ query: String) -> String? {
        var seen: Set<Substring> = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value =
                parts.count == 2 ? String(decoding: RemoteAddress.decoded(Array(parts[1].utf8)), as: UTF8.self) : ""
            guard seen.insert(parts[0]).inserted else { return "\(parts[0]) is given more than once" }
            if value.isEmpty, parts[0] != "keep-git-dir" { return "\(parts[0]) has no value" }
            switch parts[0] {
            case "ref": if !setRevision(value) { return "it has two references" }
            case "tag":
                if !setRevision(value.hasPrefix("refs/tags/") ? value : "refs/tags/" + value) {
                    return "it has two references"
                }
            case "branch":
                if !setRevision(value.hasPrefix("refs/heads/") ? value : "refs/heads/" + value) {
                    return "it has two references"
                }
            case "subdir":
                let path = Self.trimmed(value)
                if !directory.isEmpty, directory != path { return "it has two directories" }
                directory = path
            case "checksum", "commit": commit = value
            case "keep-git-dir":
                guard let flag = ["": true, "1": true, "true": true, "0": false, "false": false][value] else {
                    return "keep-git-dir is \(value)"
                }
                keepsMetadata = flag
            default: return "there is no \(parts[0])"
            }
        }
        return nil
    }

    private mutating func setRevision(_ value: String) -> Bool {
        if let revision, revision != value { return false }
        revision = value
        return true
    }

    private static func isRepository(_ address: String) -> Bool {
        if ["git://", "ssh://"].contains(where: { address.hasPrefix($0) }) { return true }
        if RemoteAddress.isWeb(address) {
            let path = address.prefix { $0 != "?" }
            return path.hasSuffix(".git") || path.hasSuffix(".git/")
        }
        return isSecureCopyForm(address)
    }

    /// `user@host:path`: no slash in front of the colon, and both names there.
    private static func isSecureCopyForm(_ address: String) -> Bool {
        guard let colon = address.firstIndex(of: ":") else { return false }
        let parts = address[..<colon].split(separator: "@", omittingEmptySubsequences: false)
        let isName = { (text: Substring) in
            !text.isEmpty && text.first != "-"
                && text.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
                        || [0x2d, 0x2e, 0x5f].contains(byte)
                }
        }
        return parts.count == 2 && parts.allSatisfy(isName) && !address[colon...].hasPrefix("://")
    }
}

/// Tells addresses from paths.
enum RemoteAddress {
    /// Whether a text is an `http` or `https` address.
    static func isWeb(_ text: String) -> Bool { text.hasPrefix("http://") || text.hasPrefix("https://") }

    /// Whether a source of `ADD` is fetched from somewhere.
    static func isRemote(_ text: String) -> Bool { isWeb(text) || GitReference(text) != nil }

    /// The name of a file that is fetched: the last of the address's path, percent-encoding undone.
    static func fileName(_ address: String) -> String {
        let unnamed = "__unnamed__"
        let path = address.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "?" && $0 != "#" }
        guard let slash = path.firstIndex(of: "/") else { return unnamed }
        let decoded = decoded(Array(path[slash...].utf8))
        guard let last = decoded.split(separator: UInt8(ascii: "/")).last.map({ Array($0) }), !last.contains(0) else {
            return unnamed
        }
        let name = String(decoding: last, as: UTF8.self)
        return name == "." || name == ".." ? unnamed : name
    }

    /// Undoes percent-encoding.
    static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
