import ArgumentParser

/// `strata image …`
struct ImageCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Manage images.",
        discussion: "EXAMPLE: strata image ls --filter dangling=true",
        subcommands: [
            Build.self, HistoryCommand.self, Import.self, ImageInspect.self, ImageList.self, Load.self, ImagePrune.self,
            Pull.self, Push.self, ImageRemove.self, Save.self, Tag.self,
        ])
}

/// `strata container …`
struct ContainerCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container", abstract: "Manage containers.",
        discussion: "EXAMPLE: strata container ls -a",
        subcommands: [
            Attach.self, Commit.self, Create.self, Diff.self, Execute.self, Export.self, ContainerInspect.self,
            Kill.self,
            Logs.self, ContainerList.self, ContainerPrune.self, Rename.self, Restart.self, Remove.self, Run.self,
            Start.self, Stop.self, Wait.self,
        ])
}

/// `strata system …`
struct SystemCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Disk usage, cleaning, checking, and facts about the store.",
        discussion: "EXAMPLE: strata system df -v",
        subcommands: [
            SystemCheck.self, SystemDedupe.self, DiskFree.self, SystemEvents.self, Info.self, SystemPrune.self,
        ])
}
