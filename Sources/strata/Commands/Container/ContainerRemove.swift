import ArgumentParser
import ImageStore
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
                try engine.remove(name, force: force, withVolumes: volumes)
            } catch let error as RuntimeError where error.code == .notFound && force {
                // With force, what is gone already is as it should be; Docker says so and returns 0.
                return Console.complain(error.message)
            }
            try Console.print(name)
        }
    }
}

/// `strata container prune`
struct ContainerPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove all containers that do not run.",
        discussion: "EXAMPLE: strata container prune -f")

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    func run() throws {
        try Confirmation.ask("This will remove all stopped containers.", unless: force)
        let engine = try globals.openEngine()
        let ended = try engine.containers().filter { $0.state != .running && $0.supervisor == nil }
        var reclaimed: Int64 = 0
        var removed: [String] = []
        for container in ended {
            let size = try engine.context.store.containerSize(container.id)
            try engine.remove(container.id)
            reclaimed += size
            removed.append(container.id)
        }
        if !removed.isEmpty { try Console.write("Deleted Containers:\n\(removed.joined(separator: "\n"))\n\n") }
        try Console.print("Total reclaimed space: \(HumanUnits.size(reclaimed, digits: 4))")
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

    func run() throws { try globals.openEngine().rename(container, to: name) }
}
