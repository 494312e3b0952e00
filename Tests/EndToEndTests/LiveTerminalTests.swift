import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// Live displays on a real terminal.
    @Suite(.serialized) struct LiveTerminal {
        /// How often a build is drawn on the screen.
        private static func heads(_ screen: TerminalScreen) -> Int {
            screen.lines.count { $0.contains("[+] Bui") }
        }

        @Test("A build on a terminal whose size changes leaves no stale lines", arguments: [false, true])
        func resizing(reflows: Bool) throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write(
                    """
                    FROM busybox
                    RUN true 一二三四五六七八九十
                    RUN while :; do echo 漢字漢字漢字漢字漢字漢字漢字漢字; usleep 20000; done
                    """, to: "context/Dockerfile")
                let terminal = try PseudoTerminal(
                    [try Strata.binary(), "build", "--no-cache", context],
                    environment: ["STRATA_ROOT=\(strata.root)", "TERM=xterm", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                    rows: 60, columns: 30, reflows: reflows)
                try terminal.read { $0.lines.contains { $0.contains("=> => # 漢字") } }
                for columns in [30, 12, 100, 17, 2, 1, 40] {
                    try terminal.resize(rows: 60, columns: columns)
                    let before = terminal.screen.erasures
                    try terminal.read { $0.erasures > before + 3 && $0.lines.last?.isEmpty == false }
                    let lines = terminal.screen.lines
                    if columns >= 12 { #expect(Self.heads(terminal.screen) == 1, "\(columns): \(lines)") }
                    // A line of the image, a line that was done, the head, the step, and the end of its output.
                    #expect(lines.count { $0.contains("=> => # ") } <= 6, "\(columns): \(lines)")
                }
                try terminal.signal(SIGINT)
                #expect(try terminal.wait() == 130)
                let lines = terminal.screen.lines
                #expect(Self.heads(terminal.screen) == 0 && !lines.contains { $0.contains("=> => #") }, "\(lines)")
                #expect(lines.count { $0.contains("CANCELED") } == 1, "\(lines)")
                #expect(terminal.screen.unknown == [])
            }
        }
    }
}
