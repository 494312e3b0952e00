internal import Linux
public import OCI

/// The users and groups of an image, read from its `/etc/passwd` and `/etc/group`; see passwd(5) and group(5).
public struct UserDatabase: Sendable {
    /// One line of `/etc/passwd`.
    struct User: Sendable {
        var name: String
        var uid: UInt32
        var gid: UInt32
        var home: String
    }

    /// One line of `/etc/group`.
    struct Group: Sendable {
        var name: String
        var gid: UInt32
        var members: [String]
    }

    /// Whom a process runs as.
    public struct Identity: Hashable, Sendable {
        public var uid: UInt32
        public var gid: UInt32
        /// Supplementary groups: the primary one, as Docker has it, then others in the order of `/etc/group`.
        public var additionalGids: [UInt32]
        /// The home directory, `/` where the user has none.
        public var home: String
    }

    var users: [User]
    var groups: [Group]

    /// Reads both files below a root directory; a missing one counts as empty. Links do not lead out of the root.
    public init(root: String) {
        let passwd = Self.lines(of: "etc/passwd", root: root)
        let group = Self.lines(of: "etc/group", root: root)
        self.init(passwd: passwd, group: group)
    }

    /// Takes the lines of both files; lines that are not well formed are passed over.
    init(passwd: [String], group: [String]) {
        users = passwd.compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count >= 6, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], uid: uid, gid: gid, home: fields[5])
        }
        groups = group.compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count >= 4, let gid = UInt32(fields[2]) else { return nil }
            return Group(name: fields[0], gid: gid, members: fields[3].split(separator: ",").map(String.init))
        }
    }

    private static func lines(of path: String, root: String) -> [String] {
        guard let directory = try? FileDescriptor.open(root, [.directory, .path]),
            let file = try? directory.open(path, [.nonBlocking], resolve: .inRoot),
            let status = try? file.status(), status.isRegular,
            let bytes = try? file.readAll(limit: 16 << 20)
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Resolves `user[:group]`, names or numbers, with Docker's rules: nothing means root; a number need not be in the
    /// image, nor `root` where it has no users or groups; a user without a named group is in all groups that list them.
    public func identity(for specification: String) throws(RuntimeError) -> Identity {
        let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let userName = parts.first.flatMap { $0.isEmpty ? nil : $0 } ?? "0"
        let groupName = parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil

        let user = try user(userName)
        var identity = Identity(uid: user.uid, gid: user.gid, additionalGids: [], home: user.home)
        if identity.home.isEmpty { identity.home = "/" }
        if let groupName {
            identity.gid = try gid(groupName)
        } else if !user.name.isEmpty {
            let further = groups.filter { $0.members.contains(user.name) && $0.gid != identity.gid }
            identity.additionalGids = further.map(\.gid)
        }
        // A process that drops its primary group must not come into what that group is kept out of.
        identity.additionalGids.insert(identity.gid, at: 0)
        return identity
    }

    private func user(_ name: String) throws(RuntimeError) -> User {
        if let user = users.first(where: { $0.name == name }) { return user }
        // Where there are no users at all, as from scratch, root is what it is everywhere.
        if users.isEmpty, name == "root" { return User(name: name, uid: 0, gid: 0, home: "/") }
        guard let uid = Self.number(name) else {
            throw RuntimeError(
                .noSuchUser, "unable to find user \(name): no matching entries in the image's /etc/passwd")
        }
        return users.first { $0.uid == uid } ?? User(name: "", uid: uid, gid: 0, home: "/")
    }

    /// Resolves a group by name or number, as `--chown` needs it too.
    public func gid(_ name: String) throws(RuntimeError) -> UInt32 {
        if let group = groups.first(where: { $0.name == name }) { return group.gid }
        if let gid = Self.number(name) { return gid }
        if groups.isEmpty, name == "root" { return 0 }
        throw RuntimeError(.noSuchUser, "unable to find group \(name): no matching entries in the image's /etc/group")
    }

    /// A number that the kernel takes as an id; its highest value means "none".
    private static func number(_ text: String) -> UInt32? {
        guard let value = UInt32(text), value != UInt32.max else { return nil }
        return value
    }
}
