import ArgumentParser
import Engine
import ImageStore

/// `strata image prune`
struct ImagePrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove images without a name, or all that no container uses.",
        discussion: """
            Build cache of layers that only such an image has goes with it.

            EXAMPLE: strata image prune --all --filter until=240h --dry-run
            """)

    @OptionGroup var options: PruneOptions

    @Flag(name: .shortAndLong, help: "Remove every image that no container uses.")
    var all = false

    func run() throws {
        let filter = try PruneFilter(options.filter, keys: ["until", "label", "label!"])
        let what = all ? "images without at least one container associated to them" : "dangling images"
        var selection = PruneSelection()
        selection.images = all ? .all : .dangling
        selection.until = filter.until
        selection.labels = filter.labels
        var request = PruneRequest(filter)
        request.selection = selection
        try options.run(request, warning: "This will remove all \(what).")
    }
}
