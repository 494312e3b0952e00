public import OCI

/// Signals by number and name; signal(7), the numbers of all architectures Strata is built for.
public enum Signals {
    public static let hangUp: Int32 = 1
    public static let interrupt: Int32 = 2
    public static let quit: Int32 = 3
    public static let kill: Int32 = 9
    public static let terminate: Int32 = 15
    public static let user1: Int32 = 10
    public static let user2: Int32 = 12
    public static let child: Int32 = 17
    public static let windowChange: Int32 = 28

    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// The number of a signal given as `SIGTERM`, `term` or `15`, real-time signals as `RTMIN+3` or `RTMAX-1`;
    /// `badOption` for anything else.
    public static func number(_ text: String) throws(RuntimeError) -> Int32 {
        if let number = Int32(text), (1...64).contains(number) { return number }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let index = names.firstIndex(of: name) { return Int32(index) + 1 }
        // glibc keeps 32 and 33 to itself, so the range that programs see starts at 34.
        if name == "RTMIN" { return 34 }
        if name == "RTMAX" { return 64 }
        if name.hasPrefix("RTMIN+"), let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) {
            return 34 + offset
        }
        if name.hasPrefix("RTMAX-"), let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) {
            return 64 - offset
        }
        throw RuntimeError(.badOption, "invalid signal: \(text)", remedy: "use a name such as SIGTERM or a number")
    }
}
