import ArgumentParser
import BuildEngine
import Glibc
import OCI
import Rendering
import Runtime

/// From arguments to an exit status.
enum CommandLineTool {
    /// Parses the arguments, runs the command and returns the status to exit with.
    static func run(_ arguments: [String]) -> Int32 {
        // A closed pipe and a file that may not grow are errors of write(2), not the end: containers and mounts have to
        // be tidied up first.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        var path = CommandPath(arguments)
        if let unknown = path.unknownCommand {
            Console.complain(path.explanation(of: unknown))
            return 1
        }
        do {
            // Asked for by programs, and before anything else is known: the parser would look at every command first.
            if arguments == ["--version"] {
                try Console.print(Version.line)
                return 0
            }
            if path.wantsHelp && !path.names.isEmpty {
                try Console.write(Strata.helpMessage(for: path.command) + "\n")
                return 0
            }
            if let unknown = path.unknownOption {
                Console.complain(unknown)
                return path.failureStatus
            }
            var command = try parsed(&path)
            try command.run()
            return 0
        } catch {
            return report(error, of: path)
        }
    }

    /// The command itself is parsed, not the whole tree of commands: that is the quicker way. Its options are asked for only
    /// when it refuses the arguments.
    private static func parsed(_ path: inout CommandPath) throws -> any ParsableCommand {
        do {
            return try path.command.parseAsRoot(path.arguments)
        } catch {
            guard path.readOptions() else { throw error }
            if let unknown = path.unknownOption {
                throw CommandError(.usage, unknown, status: path.failureStatus)
            }
            return try path.command.parseAsRoot(path.arguments)
        }
    }

    /// Tells the user what went wrong, in one line, and chooses the status.
    private static func report(_ error: any Error, of path: CommandPath) -> Int32 {
        let status = path.failureStatus
        if let error = error as? CommandError, error.code == .silent { return error.status ?? 0 }
        if let error = error as? RenderingError, error.code == .readerGone { return 128 + SIGPIPE }
        guard let line = oneLine(error) else { return reportParsing(error, of: path, status: status) }
        if let excerpt = (error as? BuildError)?.excerpt { Console.remark(excerpt) }
        Console.complain(line)
        return switch error {
        case let error as CommandError: error.status ?? status
        case let error as RuntimeError: path.status(of: error)
        case let error as BuildError: error.processStatus
        default: status
        }
    }

    /// Errors of the argument parser; a request for help is one of them.
    private static func reportParsing(_ error: any Error, of path: CommandPath, status: Int32) -> Int32 {
        if path.command.exitCode(for: error) == .success {
            let isRoot = path.names.isEmpty
            do {
                try Console.write(
                    (isRoot ? Strata.fullMessage(for: error) : Strata.helpMessage(for: path.command)) + "\n")
                return 0
            } catch {
                return report(error, of: path)
            }
        }
        let message =
            path.command.message(for: error).split(whereSeparator: \.isNewline).first.map(String.init) ?? "\(error)"
        let end = message.last.map { ".?!".contains($0) } == true ? "" : "."
        Console.complain("\(message)\(end) See '\(path.description) --help'.")
        return status
    }
}
