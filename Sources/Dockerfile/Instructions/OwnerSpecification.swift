/// An owner as `--chown` and `USER` name it: `user`, `user:group`, by name or number.
public struct OwnerSpecification: Sendable, Hashable {
    /// Name or number of the user.
    public var user: String
    /// Name or number of the group; nil for `USER`'s own group, or for `--chown` a group of the user's number.
    public var group: String?

    /// Reads `user[:group]`.
    ///
    /// Throws `invalidArgument` if the user or, behind a colon, the group is missing; without a place.
    public static func parse(_ text: String) throws(DockerfileError) -> OwnerSpecification {
        let parts = text.utf8.split(separator: ASCII.colon, maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first, !user.isEmpty, parts.count == 1 || parts.last?.isEmpty == false else {
            throw DockerfileError(
                .invalidArgument, "\(text.shown) is not an owner", remedy: "write user or user:group")
        }
        return OwnerSpecification(user: user.text, group: parts.count == 2 ? parts[1].text : nil)
    }
}
