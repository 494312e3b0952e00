import ArgumentParser

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
