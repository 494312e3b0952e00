import ArgumentParser
import Engine
import Linux
import Runtime

/// `strata exec`
struct Execute: ParsableCommand, ContainerRunning, TakesCommandLine {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run another command in a container that runs.",
        usage: "strata exec [<options>] <container> <command> [<argument>...]",
        discussion: """
            The exit status is that of the command; 126 when it cannot be executed, 127 when there is no such command.

            EXAMPLE: strata exec -it web /bin/sh
            """,
        helpNames: .long)

    // Docker's: its engine's failures are 1 here, unlike those of `run`.
    static var failureStatus: Int32 { 1 }

    static let plainFlags: Set = ["-i", "--interactive", "-t", "--tty"]

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Pass on standard input.")
    var interactive = false

    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give the command a terminal.")
    var terminal = false

    @OptionGroup var process: ProcessOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The container, then the command and its arguments.", valueName: "container-and-command"))
    var containerAndCommand: [String] = []

    func run() throws {
        let words = containerAndCommand.first == "--" ? containerAndCommand.dropFirst() : containerAndCommand[...]
        if let flag = words.first, flag.hasPrefix("-") {
            throw CommandError(.usage, "unknown flag: \(flag)", remedy: "see 'strata exec --help'")
        }
        guard let container = words.first, words.count > 1 else {
            throw CommandError(
                .usage, "'strata exec' requires at least 2 arguments: the container and the command.",
                remedy: "see 'strata exec --help'")
        }
        if terminal, interactive, !BorrowedDescriptor.standardInput.isTerminal {
            throw CommandError(.usage, "the input device is not a TTY", remedy: "leave out -t", status: 1)
        }
        var options = ExecOptions(arguments: Array(words.dropFirst()))
        options.environment = try process.variables()
        options.workingDirectory = process.workdir
        options.user = process.user
        options.terminal = terminal
        options.interactive = interactive
        var attachment = Attachment.ownStreams()
        if !interactive { attachment.input = nil }
        let status = try globals.openEngine().containers.exec(container, options, attachment: attachment)
        if status != 0 { throw CommandError.exit(status) }
    }
}
