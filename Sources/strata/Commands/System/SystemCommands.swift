import ArgumentParser

/// `strata system …`
struct SystemCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Disk usage and facts about the store.",
        discussion: "EXAMPLE: strata system df -v",
        subcommands: [DiskFree.self, Info.self])
}
