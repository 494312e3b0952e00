import ArgumentParser
import Engine
import ImageStore
import Rendering
import Runtime

/// `strata system check`
struct SystemCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compare everything the store says with what is on disk.",
        discussion: """
            The digest of every layer is computed again from its files. Each fault is one line; the exit status is 1 when \
            there is one. With --repair, what is damaged is put into quarantine, and what no record names is removed; pull, \
            load, import or build a damaged image again, and all images that share its layers are whole.

            EXAMPLE: strata system check --quick
            """)

    @OptionGroup var globals: GlobalOptions

    @Flag(help: "Leave the digests of layers out.")
    var quick = false

    @Flag(help: "Put what is damaged into quarantine, remove what is left over.")
    var repair = false

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        engine.containers.reconcile()
        var options = IntegrityOptions()
        options.isQuick = quick
        options.repairs = repair
        let showsProgress = Console.errorIsTerminal
        let report = try engine.store.check(options) { number, count in
            if showsProgress { Console.remark(verbatim: "\rchecking layer \(number) of \(count)\u{1B}[K") }
        }
        if showsProgress { Console.remark(verbatim: "\r\u{1B}[K") }
        for finding in report.findings { try Console.print(finding.description) }
        let count = report.findings.count
        let verdict = count == 0 ? "no faults" : count == 1 ? "1 fault" : "\(count) faults"
        let hashed = quick ? "" : " (\(HumanUnits.size(report.hashedBytes, digits: 4)) hashed)"
        try Console.print(
            "Checked \(report.images) images, \(report.layers) layers\(hashed), \(report.containers) containers: \(verdict)."
        )
        if count > 0 { throw CommandError.exit(1) }
    }
}
