import ArgumentParser

/// Which command the arguments name, found before they are parsed, so that every error can say where to read on.
struct CommandPath: CustomStringConvertible {
    /// The names of the command, such as `["image", "ls"]`; empty where none is given.
    private(set) var names: [String] = []
    /// Options that stand before the command: they belong to it.
    private var leading: [String] = []
    private var rest: [String] = []
    /// The first name that is no command.
    private(set) var unknownCommand: String?
    /// The command itself.
    private(set) var command: any ParsableCommand.Type = Strata.self

    init(_ arguments: [String]) {
        var remaining = arguments[...]
        while let argument = remaining.first {
            if names.isEmpty, let count = GlobalOptions.length(of: argument) {
                leading += remaining.prefix(count)
                remaining = remaining.dropFirst(count)
                continue
            }
            let commands = CommandPath.subcommands(of: command)
            if commands.isEmpty || argument.hasPrefix("-") { break }
            let match = commands.first {
                $0._commandName == argument || $0.configuration.aliases.contains(argument)
            }
            guard let match else {
                if !CommandPath.providedByParser.contains(argument) { unknownCommand = argument }
                break
            }
            names.append(argument)
            command = match
            remaining = remaining.dropFirst()
        }
        rest = Array(remaining)
    }

    private static func subcommands(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let configuration = command.configuration
        return configuration.subcommands + configuration.groupedSubcommands.flatMap { $0.subcommands }
    }

    private static let providedByParser: Set<String> = ["help"]

    /// Whether the exit status is that of a container unless it could not be started.
    var runsContainers: Bool { command is any ContainerRunning.Type }

    /// `strata` and the names.
    var description: String { (["strata"] + names).joined(separator: " ") }

    /// Why a name is no command, and what to do.
    func explanation(of unknown: String) -> String {
        let candidates = CommandPath.subcommands(of: command).filter { $0.configuration.shouldDisplay }
            .map { $0._commandName }
        let near = candidates.min { EditDistance.between($0, unknown) < EditDistance.between($1, unknown) }
        let hint = near.flatMap { EditDistance.between($0, unknown) <= 2 ? " Did you mean '\($0)'?" : nil } ?? ""
        return "'\(unknown)' is not a \(description) command.\(hint) See '\(description) --help'."
    }

    /// Whether nothing but the command's help is asked for.
    var wantsHelp: Bool { ownArguments.contains("--help") }

    /// The arguments as the command's parser takes them, with Docker's `--flag=false` resolved.
    var arguments: [String] {
        leading + BooleanFlags.resolved(ownArguments) + rest.dropFirst(ownArguments.count)
    }

    /// The arguments that are not for somebody else.
    private var ownArguments: [String] {
        guard command is any TakesCommandLine.Type else { return Array(rest.prefix { $0 != "--" }) }
        return Array(rest.prefix(BooleanFlags.optionCount(rest)))
    }
}

/// A command whose exit status is its container's, so that failures of the engine get 125.
protocol ContainerRunning: ParsableCommand {}

/// A command whose arguments after the first are for somebody else.
protocol TakesCommandLine: ParsableCommand {}
