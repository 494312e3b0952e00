import ArgumentParser
import Engine
import ImageStore
import Linux
import Rendering
import Runtime

/// `strata run`
struct Run: ParsableCommand, ContainerRunning, TakesCommandLine {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Make a container of an image and start it.",
        usage: "strata run [<options>] <image> [<command> [<argument>...]]",
        discussion: """
            The exit status is that of the command; 125 when the container could not be started, 126 when the command \
            cannot be executed, 127 when there is no such command.

            EXAMPLE: strata run --rm -it -v /srv:/srv:ro debian:bookworm /bin/bash
            """,
        helpNames: .long)

    static let plainFlags: Set = ["--rm", "-d", "--detach", "-i", "--interactive", "-t", "--tty"]

    @OptionGroup var options: RunOptions

    @Flag(name: .shortAndLong, help: "Leave the container running in the background and print its ID.")
    var detach = false

    func run() throws {
        try requireTerminalInput()
        let engine = try options.globals.openEngine()
        let container = try options.create(with: engine, for: "run", detached: detach)
        if detach {
            try engine.containers.startDetached(container.id)
            return try Console.print(container.id)
        }
        let status = try engine.containers.start(container.id, attachment: .ownStreams())
        if status != 0 { throw CommandError.exit(status) }
    }

    /// Docker's rule: who asks for a terminal and for input types it at one.
    private func requireTerminalInput() throws(CommandError) {
        if options.terminal, options.interactive, !detach, !BorrowedDescriptor.standardInput.isTerminal {
            throw CommandError(.usage, "the input device is not a TTY", remedy: "leave out -t", status: 1)
        }
    }
}
