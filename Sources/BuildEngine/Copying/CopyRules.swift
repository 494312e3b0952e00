import Dockerfile
import Linux
import OCI
import Runtime

/// What becomes of owners and modes when files are put into an image.
struct CopyRules: Sendable {
    /// The owner of all that is copied; nil keeps those that the files have.
    var owner: FileOwner?
    /// `--chmod`.
    var mode: ModeChange?

    /// The owner of directories that are made on the way to the destination.
    var parentOwner: FileOwner { owner ?? .root }

    /// The permissions of those directories: a mode written as a number holds for them too, as for BuildKit.
    var parentMode: UInt32 { mode?.number ?? 0o755 }

    /// The owner that a file gets.
    func owner(of status: FileStatus) -> FileOwner {
        owner ?? FileOwner(uid: status.uid, gid: status.gid)
    }

    /// The permissions that a file gets; links have none to change.
    func permissions(of status: FileStatus) -> UInt32 {
        guard let mode, !status.isSymbolicLink else { return status.permissions }
        return mode.applied(to: status.permissions, isDirectory: status.isDirectory)
    }
}

extension CopyRules {
    /// The rules of an instruction whose variables are expanded.
    ///
    /// Files of the context belong to root, those of stages and images keep their owners; `--chown` overrides both, with
    /// names looked up in the image. `noSuchUser`, `dockerfile`.
    init(
        _ files: FileTransfer, isContext: Bool, users: () throws(BuildError) -> UserDatabase
    ) throws(BuildError) {
        owner = isContext ? .root : nil
        if let text = files.owner, !text.isEmpty {
            owner = try Self.owner(text, users: users)
        }
        if let text = files.mode, !text.isEmpty {
            mode = try fromDockerfile { () throws(DockerfileError) in try ModeChange.parse(text) }
        }
    }

    /// `user`, `user:group`: a user without a group gets its own group if it is in the image, else the group of its
    /// number. Nothing before or behind a colon is root, as for BuildKit.
    private static func owner(
        _ text: String, users: () throws(BuildError) -> UserDatabase
    ) throws(BuildError) -> FileOwner {
        let text = (text.hasPrefix(":") ? "0" : "") + text + (text.hasSuffix(":") ? "0" : "")
        let specification = try fromDockerfile { () throws(DockerfileError) in try OwnerSpecification.parse(text) }
        if let uid = UInt32(specification.user), let group = specification.group ?? Optional(specification.user),
            let gid = UInt32(group)
        {
            return FileOwner(uid: uid, gid: gid)
        }
        let users = try users()
        return try fromRuntime { () throws(RuntimeError) in
            let identity = try users.identity(for: text)
            return FileOwner(uid: identity.uid, gid: identity.gid)
        }
    }
}
