import ArgumentParser
import Runtime

/// Which command the arguments name, found before they are parsed, so that every error can say where to read on.
struct CommandPath: CustomStringConvertible {
    /// The names of the command, such as `["image", "ls"]`; empty where none is given.
    private(set) var names: [String] = []
    /// Options that stand before the command: they belong to it.
    private var leading: [String] = []
    private var rest: [String] = []
    /// What comes after the command, as its parser takes it; nil where nothing has to be read for that.
    private var own: DockerArguments?
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
        let isPlain =
            if let command = command as? any TakesCommandLine.Type {
                DockerArguments.areOnly(command.plainFlags, rest)
            } else {
                DockerArguments.arePlain(rest)
            }
        if !isPlain { readOptions() }
    }

    /// Reads the arguments that are not for somebody else with the options of the command; false where they are read already,
    /// or there is nothing to read.
    @discardableResult
    mutating func readOptions() -> Bool {
        // The parser tells of the whole tree at the root, and need not tell of options where there can be none.
        guard own == nil, command != Strata.self, rest.contains(where: { $0.hasPrefix("-") }) else { return false }
        own = DockerArguments(
            rest, options: CommandOptions(of: command), endsAtPositional: command is any TakesCommandLine.Type)
        return true
    }

    /// The commands of a group, none of any other.
    static func subcommands(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let configuration = command.configuration
        return configuration.subcommands + configuration.groupedSubcommands.flatMap { $0.subcommands }
    }

    private static let providedByParser: Set<String> = ["help"]

    /// The exit status of a failure of ours.
    var failureStatus: Int32 { (command as? any ContainerRunning.Type)?.failureStatus ?? 1 }

    /// The exit status when a container's process could not be started, with 126 and 127 as shells have them.
    func status(of error: RuntimeError) -> Int32 {
        guard command is any ContainerRunning.Type, error.exitCode != 125 else { return failureStatus }
        return error.exitCode
    }

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
    var wantsHelp: Bool { own?.wantsHelp == true }

    /// Why an option is none of the command, in Docker's words, and what to do; nil where each is one.
    var unknownOption: String? {
        guard let own, let unknown = own.unknown else { return nil }
        let isLong = unknown.name.hasPrefix("--")
        let what =
            isLong ? "flag: \(unknown.name)" : "shorthand flag: '\(unknown.name.dropFirst())' in \(unknown.argument)"
        let hint = isLong ? own.options.nearest(to: unknown.name).map { " Did you mean '\($0)'?" } ?? "" : ""
        return "unknown \(what).\(hint) See '\(description) --help'."
    }

    /// The arguments as the command's parser takes them.
    var arguments: [String] { leading + (own?.resolved ?? rest) }
}

/// A command whose exit status is that of a container's process.
protocol ContainerRunning: ParsableCommand {
    /// The exit status of a failure of ours, to be told from the process's.
    static var failureStatus: Int32 { get }
}

extension ContainerRunning {
    static var failureStatus: Int32 { 125 }
}

/// A command whose arguments after the first are for somebody else.
protocol TakesCommandLine: ParsableCommand {
    /// Flags that are mostly given: where there are no others, the command need not be asked for its options.
    static var plainFlags: Set<String> { get }
}
