import ArgumentParser

/// The command `strata`.
struct Strata: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strata",
        abstract: "Container images as directories: mount, build, run, and see what the disk shares.",
        discussion: """
            EXAMPLES:
              strata import debian.tar debian:bookworm
              strata build -t web .
              strata run --rm -it web /bin/sh
              strata mount web /mnt
              strata system df -v

            Every command takes --root (or STRATA_ROOT), the directory of the store, and --runtime (or STRATA_RUNTIME), \
            the OCI runtime; both may also stand before the command.
            """,
        version: Version.line,
        groupedSubcommands: [
            CommandGroup(
                name: "Images",
                subcommands: [
                    Build.self, Import.self, Load.self, Save.self, Images.self, HistoryCommand.self, Inspect.self,
                    Tag.self,
                    RemoveImage.self, Pull.self, Push.self, Login.self, Logout.self,
                ]),
            CommandGroup(
                name: "Containers",
                subcommands: [
                    Run.self, Create.self, Start.self, Attach.self, Stop.self, Restart.self, Kill.self, Wait.self,
                    Logs.self,
                    ProcessStatus.self, Remove.self, Execute.self, Commit.self, Diff.self, Export.self,
                    Rename.self,
                ]),
            CommandGroup(name: "Mounts", subcommands: [MountCommand.self, Unmount.self]),
            CommandGroup(
                name: "Groups and system",
                subcommands: [
                    ImageCommands.self, ContainerCommands.self, VolumeCommands.self, BuilderCommands.self,
                    SystemCommands.self, Events.self, Info.self, VersionCommand.self,
                ]),
        ])
}
