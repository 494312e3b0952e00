import ArgumentParser

@testable import strata

/// The commands of `strata`, as the program has them: a new one is tested without further ado.
enum CommandTree {
    /// The names of each command and each group: `["image"]`, `["image", "ls"]`.
    static let names: [[String]] = names(of: strata.Strata.self)

    private static func names(of command: any ParsableCommand.Type) -> [[String]] {
        CommandPath.subcommands(of: command).flatMap { subcommand in
            [[subcommand._commandName]] + names(of: subcommand).map { [subcommand._commandName] + $0 }
        }
    }
}
