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
    private var parent: any ParsableCommand.Type = Strata.self

    init(_ arguments: [String]) {
        var remaining = arguments[...]
        while let argument = remaining.first {
            if names.isEmpty, let count = GlobalOptions.length(of: argument) {
                leading += remaining.prefix(count)
                remaining = remaining.dropFirst(count)
                continue
            }
            let commands = CommandPath.subcommands(of: parent)
            if commands.isEmpty || argument.hasPrefix("-") { break }
            let match = commands.first {
                $0._commandName == argument || $0.configuration.aliases.contains(argument)
            }
            guard let match else {
                if !CommandPath.providedByParser.contains(argument) { unknownCommand = argument }
                break
            }
            names.append(argument)
            parent = match
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
    var runsContainers: Bool { parent is any ContainerRunning.Type }

    /// `strata` and the names.
    var description: String { (["strata"] + names).joined(separator: " ") }

    /// Why a name is no command, and what to do.
    func explanation(of unknown: String) -> String {
        let candidates = CommandPath.subcommands(of: parent).filter { $0.configuration.shouldDisplay }
            .map { $0._commandName }
        let near = candidates.min { EditDistance.between($0, unknown) < EditDistance.between($1, unknown) }
        let hint = near.flatMap { EditDistance.between($0, unknown) <= 2 ? " Did you mean '\($0)'?" : nil } ?? ""
        return "'\(unknown)' is not a \(description) command.\(hint) See '\(description) --help'."
    }

    /// The arguments as the parser takes them: the command, then options, with Docker's `--flag=false` resolved.
    var normalizedArguments: [String] {
        guard parent is any TakesCommandLine.Type else {
            return names + leading + BooleanFlags.resolved(rest)
        }
        let own = rest.prefix(BooleanFlags.optionCount(rest))
        // The parser would take it for the first word of the command line.
        if own.contains("--help") { return ["help"] + names }
        return names + leading + BooleanFlags.resolved(Array(own)) + rest[own.endIndex...]
    }
}

/// A command whose exit status is its container's, so that failures of the engine get 125.
protocol ContainerRunning: ParsableCommand {}

/// A command whose arguments after the first are for somebody else.
protocol TakesCommandLine: ParsableCommand {}
