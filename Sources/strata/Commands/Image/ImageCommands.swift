import ArgumentParser

/// `strata image …`
struct ImageCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Manage images.",
        discussion: "EXAMPLE: strata image ls --filter dangling=true",
        subcommands: [
            Build.self, History.self, Import.self, ImageInspect.self, ImageList.self, Load.self, ImagePrune.self,
            Pull.self, Push.self, ImageRemove.self, Save.self, Tag.self,
        ])
}
