/// The name of an image: `[domain/]path[:tag][@digest]`.
///
/// The grammar is the distribution project's (`reference` package); a short name is completed the way Docker does it:
/// `alpine` means `docker.io/library/alpine`. Two spellings of one name compare equal.
public struct Reference: Hashable, Sendable {
    /// The registry's host, and its port where the name gives one.
    public let domain: String
    /// The repository within the registry, such as `library/alpine`.
    public let path: String
    /// The tag, if any.
    public let tag: String?
    /// The digest of the manifest, if any.
    public let digest: Digest?

    init(domain: String, path: String, tag: String?, digest: Digest?) {
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    /// The tag that a name without tag and digest stands for.
    public static let defaultTag = "latest"

    /// The repository in full, such as `docker.io/library/alpine`.
    public var name: String { "\(domain)/\(path)" }

    /// The repository as Docker prints it, such as `alpine`, `user/tool` or `localhost:5000/tool`.
    public var familiarName: String {
        guard domain == Reference.defaultDomain else { return name }
        let prefix = Reference.officialPrefix
        if path.hasPrefix(prefix), !path.dropFirst(prefix.count).contains("/") {
            return String(path.dropFirst(prefix.count))
        }
        return path
    }

    /// The name as Docker prints it, with tag and digest.
    public var familiar: String { familiarName + suffix }

    /// The same repository with another tag and no digest; `badReference` when the tag is not allowed.
    public func with(tag: String) throws(OCIError) -> Reference {
        guard ReferenceGrammar.isTag(tag) else { throw ReferenceGrammar.badTag(tag, in: name) }
        return Reference(domain: domain, path: path, tag: tag, digest: nil)
    }

    /// The same repository with a digest and no tag.
    public func with(digest: Digest) -> Reference {
        Reference(domain: domain, path: path, tag: nil, digest: digest)
    }

    static let defaultDomain = "docker.io"
    static let officialPrefix = "library/"

    private var suffix: String {
        (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}

extension Reference: CustomStringConvertible {
    /// The name in full, such as `docker.io/library/alpine:latest`.
    public var description: String { name + suffix }
}

extension Reference {
    /// Parses a name as users write it; `badReference` with the reason when the grammar does not allow it.
    ///
    /// - Parameter defaultTag: what a name with neither tag nor digest gets; nil leaves it without.
    public init(parsing text: String, defaultTag: String? = Reference.defaultTag) throws(OCIError) {
        if Digest.isHex(text) {
            throw OCIError(
                .badReference, "invalid reference \"\(text)\": a repository cannot be named like an image ID")
        }
        var rest = Substring(text)
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            do throws(OCIError) {
                digest = try Digest(parsing: String(rest[rest.index(after: at)...]))
            } catch {
                throw OCIError(.badReference, "invalid reference \"\(text)\": \(error.message)")
            }
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let candidate = String(rest[rest.index(after: colon)...])
            guard ReferenceGrammar.isTag(candidate) else { throw ReferenceGrammar.badTag(candidate, in: text) }
            tag = candidate
            rest = rest[..<colon]
        }
        let (domain, path) = Reference.splitDomain(rest)
        try ReferenceGrammar.check(domain: domain, path: path, of: text)
        self.init(
            domain: domain, path: path, tag: tag ?? (digest == nil ? defaultTag : nil), digest: digest)
    }

    /// Docker's rule: what stands before the first slash is a host when it could not be a user's name.
    private static func splitDomain(_ name: Substring) -> (domain: String, path: String) {
        var domain = defaultDomain
        var path = String(name)
        if let slash = name.firstIndex(of: "/") {
            let first = String(name[..<slash])
            if first.contains(".") || first.contains(":") || first == "localhost" || first.lowercased() != first {
                domain = first == "index.docker.io" ? defaultDomain : first
                path = String(name[name.index(after: slash)...])
            }
        }
        if domain == defaultDomain, !path.contains("/") { path = officialPrefix + path }
        return (domain, path)
    }
}

extension Reference: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self), defaultTag: nil)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
