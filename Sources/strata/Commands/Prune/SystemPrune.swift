import ArgumentParser
import Engine
import ImageStore

/// `strata system prune`
struct SystemPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Remove containers that have ended, and images and build cache that nothing needs.",
        discussion: """
            What a running container, a mount, a build, a pull or a load uses stays. --dry-run shows what would go and \
            how many bytes that frees.

            EXAMPLE: strata system prune --all --dry-run
            """)

    @OptionGroup var options: PruneOptions

    @Flag(name: .shortAndLong, help: "Remove all images that no container uses, not only those without a name.")
    var all = false

    @Flag(help: "Remove volumes without a name that no container uses, too.")
    var volumes = false

    func run() throws {
        let filter = try PruneFilter(options.filter, keys: ["until", "label", "label!"])
        if volumes, filter.until != nil {
            throw CommandError(.usage, "the \"until\" filter is not supported with \"--volumes\"")
        }
        var request = PruneRequest(filter)
        request.containers = true
        request.volumes = volumes ? .anonymous : nil
        var selection = PruneSelection()
        selection.images = all ? .all : .dangling
        selection.cache = all ? .all : .unshared
        selection.until = filter.until
        selection.labels = filter.labels
        request.selection = selection
        try options.run(request, warning: warning)
    }

    private var warning: String {
        var lines = ["all stopped containers"]
        if volumes { lines.append("all anonymous volumes not used by at least one container") }
        lines.append(all ? "all images without at least one container associated to them" : "all dangling images")
        lines.append(all ? "all build cache" : "unused build cache")
        return "This will remove:\n" + lines.map { "  - \($0)\n" }.joined()
    }
}
