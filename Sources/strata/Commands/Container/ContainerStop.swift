import ArgumentParser
import Engine
import Rendering
import Runtime

/// How long containers get to end.
struct StopOptions: ParsableArguments {
    @Option(
        name: [.customShort("t", allowingJoined: true), .customLong("time"), .customLong("timeout")],
        help: ArgumentHelp("How long to wait before killing it; -1 for ever.", valueName: "seconds"))
    var time: Int?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The signal to send first (default: the image's).", valueName: "signal")
    )
    var signal: String?

    /// The number of the signal; nil for the image's.
    func signalNumber() throws -> Int32? { try signal.map { try Signals.number($0) } }
}

/// `strata stop`
struct Stop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Ask containers to end, and kill those that do not.",
        discussion: "EXAMPLE: strata stop -t 2 web")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var options: StopOptions

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(containers) { name in
            try engine.containers.stop(name, timeout: options.time, signal: try options.signalNumber())
            try Console.print(name)
        }
    }
}

/// `strata restart`
struct Restart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop containers and start them again.",
        discussion: "EXAMPLE: strata restart web")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var options: StopOptions

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(containers) { name in
            try engine.restart(name, timeout: options.time, signal: try options.signalNumber())
            try Console.print(name)
        }
    }
}

/// `strata kill`
struct Kill: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Send containers a signal, SIGKILL unless told otherwise.",
        discussion: "EXAMPLE: strata kill -s HUP web")

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The signal, a name or a number.", valueName: "signal"))
    var signal = "SIGKILL"

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let number = try Signals.number(signal)
        let engine = try globals.openEngine()
        try forEach(containers) { name in
            try engine.containers.kill(name, signal: number)
            try Console.print(name)
        }
    }
}

/// `strata wait`
struct Wait: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until containers have ended, and print their exit statuses.",
        discussion: "EXAMPLE: strata wait web")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(containers) { name in try Console.print(String(try engine.containers.wait(name))) }
    }
}
