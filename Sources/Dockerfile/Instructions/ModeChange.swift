/// What `--chmod` does to permissions: sets them (`0755`) or changes them (`u+x,go-w`, `a=rX`), as `chmod(1)` with a
/// umask of zero.
public struct ModeChange: Sendable, Hashable {
    private struct Step: Sendable, Hashable {
        var who: UInt32
        var sign: UInt8
        var bits: UInt32
        /// `X`: execute for directories and for files that somebody may execute.
        var conditionalExecute: Bool
        /// `g=u`: the permissions of one class, as bits of the lowest class.
        var copied: UInt32?
    }

    /// The permissions, if they were written as a number.
    public var number: UInt32? { absolute }

    private var absolute: UInt32?
    private var steps: [Step] = []

    /// Reads an octal number or a list of symbolic changes.
    ///
    /// Throws `invalidArgument`, without a place.
    public static func parse(_ text: String) throws(DockerfileError) -> ModeChange {
        var change = ModeChange()
        if let number = UInt32(text, radix: 8), number <= 0o7777, text.utf8.allSatisfy(ASCII.isDigit) {
            change.absolute = number
            return change
        }
        for clause in text.utf8.split(separator: ASCII.comma, omittingEmptySubsequences: false) {
            guard change.add(Array(clause)) else {
                throw DockerfileError(
                    .invalidArgument, "\(text.shown) is not a mode",
                    remedy: "write an octal number such as 755, or changes such as u+x,go-w")
            }
        }
        return change
    }

    /// The permissions after the change.
    /// - Parameters:
    ///   - mode: the permissions before, the lower twelve bits of `st_mode`.
    ///   - isDirectory: what `X` depends on.
    public func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
        if let absolute { return absolute }
        var mode = mode & 0o7777
        for step in steps {
            var bits = step.bits
            if step.conditionalExecute, isDirectory || mode & 0o111 != 0 { bits |= 0o111 }
            if let shift = step.copied { bits |= (mode >> shift & 0o7) * 0o111 }
            bits &= step.who
            switch step.sign {
            case UInt8(ascii: "+"): mode |= bits
            case ASCII.dash: mode &= ~bits
            default: mode = mode & ~step.who | bits
            }
        }
        return mode
    }

    /// Adds `[ugoa]*([-+=]([rwxXst]*|[ugo]))+`; false if it is not that.
    private mutating func add(_ clause: [UInt8]) -> Bool {
        var rest = clause[...]
        var who: UInt32 = 0
        let classes: [UInt8: UInt32] = [
            UInt8(ascii: "u"): 0o4700, UInt8(ascii: "g"): 0o2070, UInt8(ascii: "o"): 0o0007, UInt8(ascii: "a"): 0o6777,
        ]
        while let byte = rest.first, let mask = classes[byte] {
            who |= mask
            rest = rest.dropFirst()
        }
        // The sticky bit belongs to nobody, so it is changed with "+t" as well as with "a+t" and "o+t".
        who = who == 0 ? 0o7777 : who | (who & 0o0007 != 0 ? 0o1000 : 0)
        guard !rest.isEmpty else { return false }
        while let sign = rest.first {
            guard "+-=".utf8.contains(sign) else { return false }
            rest = rest.dropFirst()
            var step = Step(who: who, sign: sign, bits: 0, conditionalExecute: false)
            scan: while let byte = rest.first {
                switch byte {
                case UInt8(ascii: "r"): step.bits |= 0o444
                case UInt8(ascii: "w"): step.bits |= 0o222
                case UInt8(ascii: "x"): step.bits |= 0o111
                case UInt8(ascii: "X"): step.conditionalExecute = true
                case UInt8(ascii: "s"): step.bits |= 0o6000
                case UInt8(ascii: "t"): step.bits |= 0o1000
                case UInt8(ascii: "u"): step.copied = 6
                case UInt8(ascii: "g"): step.copied = 3
                case UInt8(ascii: "o"): step.copied = 0
                default: break scan
                }
                rest = rest.dropFirst()
            }
            steps.append(step)
        }
        return true
    }
}
