import ArgumentParser
import Engine
import Linux
import OCI
import Rendering
import Runtime

/// `strata logs`
struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what a container has printed.",
        discussion: "EXAMPLE: strata logs -f --tail 20 web")

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Go on until the container ends.")
    var follow = false

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: ArgumentHelp("How many of the last lines (default: all).", valueName: "lines"))
    var tail = "all"

    @Flag(name: .shortAndLong, help: "Show when each line was printed.")
    var timestamps = false

    @Option(help: ArgumentHelp("Only since then: a time, or a duration such as 42m.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only until then: a time, or a duration such as 42m.", valueName: "time"))
    var until: String?

    @Argument(help: "The container: a name, an ID or the beginning of one.")
    var container: String

    func run() throws {
        var options = LogOptions()
        options.follow = follow
        if tail != "all" {
            // Docker takes what is no number for "all".
            options.tail = Int(tail).flatMap { $0 < 0 ? nil : $0 }
        }
        options.since = try since.map { text throws(EngineError) in try TimePoint.parse(text) }
        options.until = try until.map { text throws(EngineError) in try TimePoint.parse(text) }
        let engine = try globals.openEngine(creating: false)
        var failure: RenderingError?
        try engine.containers.logs(container, options) { entry in
            let line = timestamps ? "\(entry.time.fixedWidth) \(entry.text)" : entry.text
            do throws(RenderingError) {
                if entry.stream == .standardError {
                    Console.remark(verbatim: line)
                } else {
                    try Console.write(verbatim: line)
                }
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
    }
}
