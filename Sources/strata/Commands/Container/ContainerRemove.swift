import ArgumentParser
import Engine
import OCI
import Rendering
import Runtime

/// `strata rm`
struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove containers and what they wrote.",
        discussion: "EXAMPLE: strata rm -f web", aliases: ["remove"])

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Kill those that run.")
    var force = false

    @Flag(name: .shortAndLong, help: "Remove their volumes without a name, too.")
    var volumes = false

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(containers) { name in
            do {
                try engine.containers.remove(name, force: force, withVolumes: volumes)
            } catch let error as RuntimeError where error.code == .notFound && force {
                // With force, what is gone already is as it should be; Docker says so and returns 0.
                return Console.complain(error.message)
            }
            try Console.print(name)
        }
    }
}

/// `strata rename`
struct Rename: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a container another name.",
        discussion: "EXAMPLE: strata rename zesty_euler web")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: "The container: a name, an ID or the beginning of one.")
    var container: String

    @Argument(help: "The new name.")
    var name: String

    func run() throws { try globals.openEngine().containers.rename(container, to: name) }
}
