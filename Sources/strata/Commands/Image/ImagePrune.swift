import ArgumentParser
import ImageStore
import OCI

/// `strata image prune`
struct ImagePrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove images without a name, or all that no container uses.",
        discussion: "EXAMPLE: strata image prune -f")

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Remove every image that no container uses.")
    var all = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    func run() throws {
        let what = all ? "images without at least one container associated to them" : "dangling images"
        try Confirmation.ask("This will remove all \(what).", unless: force)
        let store = try globals.openStore()
        let used = Set(try store.containers().compactMap(\.imageID) + (try store.mounts().compactMap(\.imageID)))
        let before = try ImagePrune.layerBytes(store)
        var lines: [String] = []
        for image in try store.images() where !used.contains(image.id) && (all || image.isDangling) {
            lines += try store.removeImage(image.id.description, force: true).map(\.description)
        }
        if !lines.isEmpty { try Console.write("Deleted Images:\n\(lines.joined(separator: "\n"))\n\n") }
        let reclaimed = max(0, before - (try ImagePrune.layerBytes(store)))
        try Console.print("Total reclaimed space: \(HumanUnits.size(reclaimed, digits: 4))")
    }

    private static func layerBytes(_ store: ImageStore) throws(StoreError) -> Int64 {
        try store.layers().reduce(0) { $0 + $1.diskUsage }
    }
}
