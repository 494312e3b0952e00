import ArgumentParser
import Engine
import ImageStore
import Rendering

/// What `strata rmi` and `strata image rm` take.
struct ImageRemoveOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Remove images that stopped containers use, or that several names lead to.")
    var force = false

    @Flag(name: .customLong("no-prune"), help: "Accepted; layers that other images need always stay.")
    var noPrune = false

    @Argument(help: "Images: names, IDs or beginnings of IDs.")
    var images: [String]

    func execute() throws {
        let engine = try globals.openEngine()
        try forEach(images) { image in
            for event in try engine.removeImage(image, force: force) { try Console.print(event.description) }
        }
    }
}

/// `strata rmi`
struct RemoveImage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Remove images.", discussion: "EXAMPLE: strata rmi web:old 3f1c2ab90d17")

    @OptionGroup var options: ImageRemoveOptions

    func run() throws { try options.execute() }
}

/// `strata image rm`
struct ImageRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove images.", discussion: "EXAMPLE: strata image rm web:old",
        aliases: ["remove"])

    @OptionGroup var options: ImageRemoveOptions

    func run() throws { try options.execute() }
}
