import ArgumentParser
import Engine
import Rendering

extension ObjectKind: ExpressibleByArgument {}

extension Value {
    /// What `inspect` shows.
    fileprivate init(_ object: InspectedObject) throws {
        switch object {
        case .container(let document): try self.init(encoding: document)
        case .image(let document): try self.init(encoding: document)
        case .volume(let document): try self.init(encoding: document)
        }
    }
}

/// How `inspect` shows what it found.
struct InspectFormat: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("'json' for one line each, or a Go template.", valueName: "format"))
    var format: String?

    /// Looks up each name and shows what was found; names that lead nowhere make the command fail at its end.
    func show(_ names: [String], find: (String) throws -> Value) throws {
        var found: [Value] = []
        var complaints: [String] = []
        for name in names {
            do {
                found.append(try find(name))
            } catch {
                guard let line = oneLine(error) else { throw error }
                complaints.append(line)
            }
        }
        switch format {
        case nil: try Console.write(Value.array(found).indentedJSON + "\n")
        case "json": for value in found { try Console.print(value.json) }
        case .some(let source):
            let template = try Template(source.replacing("\\t", with: "\t").replacing("\\n", with: "\n"))
            for value in found { try Console.write(rendered: try template.text(for: value) + "\n") }
        }
        for line in complaints { Console.complain(line) }
        if !complaints.isEmpty { throw CommandError.exit(1) }
    }
}

/// `strata inspect`
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show everything about containers, images and volumes as JSON.",
        discussion: "EXAMPLE: strata inspect --format '{{json .Config.Env}}' web")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: InspectFormat

    @Option(help: "Look for objects of this kind only.")
    var type: ObjectKind?

    @Flag(name: .shortAndLong, help: "Containers: add the size of what they wrote.")
    var size = false

    @Argument(help: "Names, IDs or beginnings of IDs.")
    var names: [String]

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        try format.show(names) { try Value(try engine.inspect($0, kind: type, withSize: size)) }
    }
}

/// `strata image inspect`
struct ImageInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show everything about images as JSON.",
        discussion: "EXAMPLE: strata image inspect --format '{{.Id}}' web")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: InspectFormat

    @Argument(help: "Images: names, IDs or beginnings of IDs.")
    var images: [String]

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        try format.show(images) { try Value(encoding: try engine.inspectImage($0)) }
    }
}

/// `strata container inspect`
struct ContainerInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show everything about containers as JSON.",
        discussion: "EXAMPLE: strata container inspect --format '{{.State.Status}}' web")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: InspectFormat

    @Flag(name: .shortAndLong, help: "Add the size of what they wrote.")
    var size = false

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        try format.show(containers) { try Value(encoding: try engine.inspectContainer($0, withSize: size)) }
    }
}
