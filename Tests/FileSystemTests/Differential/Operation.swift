import Glibc
import Linux

/// One step of a differential run, complete in itself, so that a list of them can be replayed, shortened and written
/// down: its text is a verb and its arguments with spaces between, and can be read back.
struct Operation: Sendable, Equatable {
    enum Verb: String, Sendable {
        // Names.
        case mkdir, mknod, symlink, link, unlink, rmdir, rename, rmtree, tmpfile
        // Data, by path.
        case create, write, append, truncate, fallocate, copy, mapwrite, read, map
        // Open files. The first argument is the number of the slot that keeps it.
        case open, close, fread, fwrite, ftruncate, fallocateslot, fmap, fstat, fsync, flock, flink
        case fchmod, fchown, futimens, fsetxattr, fgetxattr
        // Open directories, in slots of their own.
        case opendir, relist, closedir
        /// Closes all files and directories.
        case closeall
        // Attributes.
        case chmod, chown, utimens, setxattr, getxattr, removexattr, listxattr, setacl
        // Looking.
        case stat, readlink, access, list
        // Only in the making of layers: marks in the kernel's format.
        case whiteout, opaque
        /// What is cached of both mounts is dropped.
        case drop
        /// Both mounts are taken away and made again, and their trees compared. `crash` kills the server first.
        case remount, crash
    }

    var verb: Verb
    var arguments: [String]
    /// Whose rights to files the operation has.
    var user: UInt32

    init(_ verb: Verb, _ arguments: String..., user: UInt32 = 0) {
        self.verb = verb
        self.arguments = arguments
        self.user = user
    }

    /// Reads one back from its text; nil for what is none.
    init?(_ text: some StringProtocol) {
        var words = String(text).split(separator: Character(" ")).map(String.init)
        user = 0
        if let first = words.first, first.hasPrefix("@") {
            guard let number = UInt32(first.dropFirst()) else { return nil }
            user = number
            words.removeFirst()
        }
        guard let first = words.first, let verb = Verb(rawValue: first) else { return nil }
        self.verb = verb
        arguments = Array(words.dropFirst())
    }

    /// An argument; empty where there is none.
    func text(_ index: Int) -> String { index < arguments.count ? arguments[index] : "" }

    /// An argument that is a number; 0 where it is none.
    func number(_ index: Int) -> Int { Int(text(index)) ?? 0 }

    /// An argument that is a mode.
    func mode(_ index: Int) -> UInt32 { UInt32(text(index), radix: 8) ?? 0o644 }

    /// The paths that the operation names, whose state is compared after it.
    var paths: [String] {
        switch verb {
        case .link, .rename, .copy, .tmpfile: Array(arguments.prefix(2))
        case .open, .opendir, .flink: [text(1)]
        case .close, .fread, .fwrite, .ftruncate, .fallocateslot, .fmap, .fstat, .fsync, .flock, .fchmod, .fchown,
            .futimens, .fsetxattr, .fgetxattr, .relist, .closedir, .closeall, .drop, .remount, .crash:
            []
        default: [text(0)]
        }
    }

    /// The open file that the operation works on.
    var slot: Int? {
        switch verb {
        case .open, .fread, .fwrite, .ftruncate, .fallocateslot, .fmap, .fsync, .flock, .flink, .fchmod, .fchown,
            .futimens, .fsetxattr, .fgetxattr:
            number(0)
        default: nil
        }
    }

    /// What the operation must leave as it is: the inode number of the first path is that of the second afterwards.
    var identity: (before: String, after: String)? {
        switch verb {
        case .chmod, .chown, .utimens, .setxattr, .removexattr, .setacl, .write, .append, .truncate, .fallocate,
            .mapwrite, .create, .read, .map:
            (text(0), text(0))
        case .link: (text(0), text(1))
        case .open: (text(1), text(1))
        case .rename where text(2) != "exchange": (text(0), text(1))
        default: nil
        }
    }

    /// Whether the operation changes nothing.
    var isLook: Bool {
        switch verb {
        case .read, .map, .fread, .fmap, .fstat, .fsync, .fgetxattr, .relist, .getxattr, .listxattr, .stat, .readlink,
            .access, .list:
            true
        default: false
        }
    }

    /// Whether a new mount follows.
    var isRemount: Bool { verb == .remount || verb == .crash }
}

extension Operation: CustomStringConvertible {
    var description: String {
        (user == 0 ? "" : "@\(user) ") + ([verb.rawValue] + arguments).joined(separator: " ")
    }
}

extension RenameFlags {
    /// By the word for it in the text of an operation.
    init(word: String) {
        switch word {
        case "noreplace": self = .noReplace
        case "exchange": self = .exchange
        case "whiteout": self = .whiteout
        default: self = []
        }
    }
}

extension OpenFlags {
    private static let words: [(word: String, flags: OpenFlags)] = [
        ("r", .readOnly), ("w", .writeOnly), ("rw", .readWrite), ("append", .append), ("trunc", .truncate),
        ("creat", .create), ("excl", .exclusive), ("nofollow", .noFollow), ("directory", .directory),
        ("noatime", .noAccessTime), ("direct", .direct), ("sync", .synchronous),
    ]

    /// By words with commas between.
    init(words text: String) {
        self = []
        for word in text.split(separator: ",") {
            for known in Self.words where known.word == word { formUnion(known.flags) }
        }
    }
}
