/// The command line of `strata-fuse`: that of the kernel's overlay and of fuse-overlayfs.
///
///     strata-fuse [SOURCE] MOUNTPOINT -o lowerdir=A:B,upperdir=U,workdir=W[,…] [-f] [-d]
public struct MountOptions: Sendable {
    /// What is to be done.
    public enum Action: Sendable {
        case mount, help, version
    }

    /// What is to be done.
    public var action = Action.mount
    /// The directory to mount on.
    public var mountPoint = ""
    /// What the union is made of.
    public var configuration = Configuration()
    /// Stay in the foreground.
    public var isForeground = false
    /// Print each request and each reply.
    public var traces = false
    /// Show the mount as coming from this.
    public var source = "strata-fuse"
    /// Check permissions by ACLs as well as by modes.
    public var hasACLs = true
    /// What the kernel is given as mount options.
    public var mountOptions: [String] = []
    /// Whether others than the mounter may use the mount; nil for what root is used to: they may if root mounts.
    public var allowsOthers: Bool?
    /// Whether the kernel reads and writes files by itself where it can.
    public var usesPassthrough = true
    /// Whether writes gather in the mount's page cache: faster where the kernel cannot write files by itself, but an error
    /// then comes when the file is closed or synced.
    public var gathersWrites = false
    /// Whether file handles of the mount can be opened, for a server of NFS.
    public var isExported = false
    /// Largest write request in bytes; nil for the best.
    public var maxWrite: UInt32?
    /// The SELinux label of everything in the mount, for a kernel with SELinux.
    public var securityContexts: [String] = []

    /// Why a command line was refused: one sentence that names the option.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// The sentence.
        public let message: String
        init(_ message: String) { self.message = message }
        /// The message.
        public var description: String { message }
    }

    /// Reads the arguments, without the program's own name.
    public init(_ arguments: [String]) throws(Failure) {
        var positional: [String] = []
        var index = 0
        var isOnlyPositional = false
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if isOnlyPositional || argument == "-" || !argument.hasPrefix("-") {
                positional.append(argument)
                continue
            }
            switch argument {
            case "--": isOnlyPositional = true
            case "-h", "--help":
                action = .help
                return
            case "-V", "--version":
                action = .version
                return
            case "-f", "--foreground": isForeground = true
            case "-d", "--debug": (isForeground, traces) = (true, true)
            case "-s", "-n", "-v": break
            case "-o":
                guard index < arguments.count else { throw Failure("option -o needs a value") }
                try parse(list: arguments[index])
                index += 1
            default:
                guard argument.hasPrefix("-o") else { throw Failure("unknown option \(argument)") }
                try parse(list: String(argument.dropFirst(2)))
            }
        }
        try finish(positional)
    }

    private mutating func finish(_ positional: [String]) throws(Failure) {
        switch positional.count {
        case 1: mountPoint = positional[0]
        case 2: (source, mountPoint) = (hasSource ? source : positional[0], positional[1])
        case 0: throw Failure("no mount point given")
        default: throw Failure("unexpected argument \(positional[2])")
        }
        if mountPoint.isEmpty { throw Failure("the mount point is empty") }
        if configuration.lower.isEmpty { throw Failure("option lowerdir is missing") }
        if configuration.upper != nil && configuration.work == nil {
            if !configuration.isReadOnly { throw Failure("option upperdir needs option workdir") }
        }
        if configuration.upper == nil { configuration.isReadOnly = true }
    }

    var hasSource = false

    // MARK: -o

    private mutating func parse(list: String) throws(Failure) {
        for option in Self.split(list) where !option.isEmpty {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            try apply(String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
        }
    }

    static func need(_ name: String, _ value: String?) throws(Failure) -> String {
        guard let value, !value.isEmpty else { throw Failure("option \(name) needs a value") }
        return value
    }

    // MARK: Escapes

    /// Splits a list at commas or colons that are not escaped with a backslash and not between quotes. The escapes stay.
    static func split(_ text: String, at separator: Unicode.Scalar = ",") -> [String] {
        var parts: [String] = []
        let bytes = Array(text.utf8)
        var (start, isEscaped, isQuoted) = (0, false, false)
        for (index, byte) in bytes.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") && separator == "," {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: separator) && !isQuoted {
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
                start = index + 1
            }
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    /// Takes the backslash of each escape away.
    static func unescape(_ text: String) -> String {
        let backslash = UInt8(ascii: "\\")
        if !text.utf8.contains(backslash) { return text }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if !isEscaped && byte == backslash {
                isEscaped = true
                continue
            }
            result.append(byte)
            isEscaped = false
        }
        if isEscaped { result.append(backslash) }
        return String(decoding: result, as: UTF8.self)
    }
}
