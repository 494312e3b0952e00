import Linux
public import OCI

/// What a mount lets people and programs do beyond what the modes of its files say. None of it is the rule for a mount at a
/// directory of the user's: the image decides what its files are, and it must not decide who is root on the host.
public struct MountPermissions: OptionSet, Hashable, Sendable {
    /// A bit for each.
    public let rawValue: UInt8

    /// Takes the bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Set-id programs and programs with file capabilities get what their files say (`suid` of mount(8)).
    public static let setIDs = MountPermissions(rawValue: 1)
    /// Device nodes can be opened (`dev`).
    public static let devices = MountPermissions(rawValue: 2)
    /// Other users than the one who mounts may enter (`allow_other` of fuse(8)).
    public static let others = MountPermissions(rawValue: 4)

    /// For what becomes the root of a container, or is mounted in one.
    ///
    /// A container's `su` has to work, and its processes run as users of their own. Device nodes work as they do under
    /// Docker, so that an installer may make `/dev/null` in a tree and use it; which devices can be opened is what the
    /// container's control group says. On the host such a mount lies below directories of mode 0700 (`containers/<id>`, and
    /// the store above it), so none of this is within reach of the host's users.
    ///
    /// Whoever is not root gets none: then fusermount3 mounts, which allows neither set-id programs nor devices.
    static var container: MountPermissions { Effective.isRoot ? [.setIDs, .devices, .others] : [] }

    /// Reads a list as `mount -o` takes it: words with commas between, of which the last one about a thing counts.
    ///
    /// - Throws: `badOption` for a word that is not `suid`, `dev` or `allow_other`, nor one of them with `no` before it.
    public init(mountOptions list: String) throws(RuntimeError) {
        self = []
        let names: [(String, MountPermissions)] = [("suid", .setIDs), ("dev", .devices), ("allow_other", .others)]
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            if let (_, permission) = names.first(where: { $0.0 == word }) {
                insert(permission)
            } else if let (_, permission) = names.first(where: { "no" + $0.0 == word }) {
                remove(permission)
            } else {
                throw RuntimeError(
                    .badOption, "unknown mount option \"\(word)\"", remedy: "use suid, dev or allow_other")
            }
        }
    }

    /// The same for the mount helper, nothing left to its own rules.
    var helperOptions: [String] {
        [
            contains(.setIDs) ? "suid" : "nosuid", contains(.devices) ? "dev" : "nodev",
            contains(.others) ? "allow_other" : "noallow_other",
        ]
    }
}
