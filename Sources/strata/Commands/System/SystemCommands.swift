import ArgumentParser

/// `strata system …`
struct SystemCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Disk usage, cleaning, checking, and facts about the store.",
        discussion: "EXAMPLE: strata system df -v",
        subcommands: [
            SystemCheck.self, SystemDedupe.self, DiskFree.self, SystemEvents.self, Info.self, SystemPrune.self,
        ])
}
