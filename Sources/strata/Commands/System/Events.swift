import ArgumentParser
import DockerDocuments
import Engine
import ImageStore
import OCI
import Rendering

/// What `strata events` and `strata system events` take.
struct EventsOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions

    @Option(help: ArgumentHelp("Also what happened since then: a time, or a duration such as 42m.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("End there: a time, or a duration such as 42m, which is before now.", valueName: "time"))
    var until: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "container=, event=, image=, label=KEY[=VALUE], type=container|image|volume|builder or volume=.",
            valueName: "filter"))
    var filter: [String] = []

    @Option(help: ArgumentHelp("'json' or a Go template.", valueName: "format"))
    var format: String?

    func execute() throws {
        var request = EventRequest()
        request.since = try since.map { text throws(EngineError) in try TimePoint.parse(text) }
        request.until = try until.map { text throws(EngineError) in try TimePoint.parse(text) }
        request.filter = try EventFilter(filter)
        let line = try EventLine(format)
        let engine = try globals.openEngine(creating: false)
        try engine.events(request, cancellation: nil) { try Console.write(rendered: try line.text(of: $0) + "\n") }
    }
}

/// `strata events`
struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happens to containers, images, volumes and builds, as it happens.",
        discussion: "EXAMPLE: strata events --since 10m --filter type=container")

    @OptionGroup var options: EventsOptions

    func run() throws { try options.execute() }
}

/// `strata system events`
struct SystemEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happens to containers, images, volumes and builds, as it happens.",
        discussion: "EXAMPLE: strata system events --format '{{.Action}} {{.Actor.Attributes.name}}'")

    @OptionGroup var options: EventsOptions

    func run() throws { try options.execute() }
}

/// Writes an event as Docker does: a line, an object, or what a template makes of it.
private struct EventLine {
    private enum Style {
        case plain, json
        case template(Template)
    }

    private let style: Style

    init(_ format: String?) throws(RenderingError) {
        switch format {
        case nil, "": style = .plain
        case "json": style = .json
        case .some(let source):
            style = .template(try Template(source.replacing("\\t", with: "\t").replacing("\\n", with: "\n")))
        }
    }

    func text(of event: StoreEvent) throws -> String {
        switch style {
        case .json: return try Value(encoding: EventMessage(event)).json
        case .template(let template): return try template.text(for: Value(encoding: EventMessage(event)))
        case .plain:
            let attributes = event.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                .joined(separator: ", ")
            let line = "\(event.time.fixedWidth) \(event.kind.rawValue) \(event.action) \(event.actor)"
            return attributes.isEmpty ? line : "\(line) (\(attributes))"
        }
    }
}
