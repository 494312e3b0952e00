import ArgumentParser
import Engine

/// `strata container prune`
struct ContainerPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove all containers that do not run.",
        discussion: "EXAMPLE: strata container prune --filter until=24h")

    @OptionGroup var options: PruneOptions

    func run() throws {
        let filter = try PruneFilter(options.filter, keys: ["until", "label", "label!"])
        var request = PruneRequest(filter)
        request.containers = true
        try options.run(request, warning: "This will remove all stopped containers.")
    }
}
