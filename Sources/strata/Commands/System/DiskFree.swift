import ArgumentParser
import Engine
import ImageStore
import Rendering

/// `strata system df`
struct DiskFree: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "df", abstract: "Show what the store takes on disk and what is shared.",
        discussion: """
            Sizes are the bytes of allocated blocks, as du counts them; a layer that several images have is counted \
            once. RECLAIMABLE is what 'image prune -a', 'container prune', 'volume prune -a' and 'builder prune' free, \
            each by itself.

            EXAMPLE: strata system df -v
            """)

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Show images, containers, volumes, cache and layers one by one.")
    var verbose = false

    @Option(
        help: ArgumentHelp("'table' (default), 'table TEMPLATE', 'json' or 'TEMPLATE'.", valueName: "format"))
    var format: String?

    @Option(help: ArgumentHelp("Show who keeps the layers of an image, or one layer.", valueName: "image|layer"))
    var explain: String?

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        if let explain { return try Explanation(holdings: try engine.holdings(of: explain)).show(format: format) }
        let usage = try engine.diskUsage()
        if !verbose {
            return try DiskUsageTables.summary.show(DiskUsageTables.lines(usage), format: format)
        }
        let details = DiskUsageDetails(usage)
        switch format {
        case nil, "table": try Console.write(try details.text())
        case "json": try Console.print(details.value.json)
        case .some(let source): try Console.write(rendered: try Template(source).text(for: details.value) + "\n")
        }
    }
}

/// What `system df -v` shows.
struct DiskUsageDetails {
    private let usage: SystemUsage

    init(_ usage: SystemUsage) { self.usage = usage }

    private var images: [ListedImage] {
        let usages = Dictionary(usage.stored.images.map { ($0.id, $0) }) { first, _ in first }
        return ListedImage.rows(usage.images, usages: usages)
    }

    private var containers: [ContainerRow] { usage.containers.map { ContainerRow($0) } }

    private static let imageListing = ListedImage.listing(
        ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"])
    private static let containerListing = ContainerRow.listing(
        ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"])

    /// Docker's tables, and then the layers.
    func text() throws -> String {
        var text = "Images space usage:\n\n"
        text += try Self.imageListing.text(images, format: nil)
        text += "\nContainers space usage:\n\n"
        text += try Self.containerListing.text(containers, format: nil)
        text += "\nLocal Volumes space usage:\n\n"
        text += try DiskUsageTables.volumeListing.text(usage.volumes, format: nil)
        text += "\nBuild cache usage: \(HumanUnits.size(usage.stored.cacheTotal.size, digits: 4))\n\n"
        text += try DiskUsageTables.cacheListing.text(usage.stored.cache, format: nil)
        text += "\nLayers space usage: \(HumanUnits.size(usage.stored.layerBytes, digits: 4)), "
        text += "\(HumanUnits.size(usage.stored.reclaimableLayerBytes, digits: 4)) reclaimable\n\n"
        text += try DiskUsageTables.layerListing.text(usage.layers, format: nil)
        text += "\nThe store takes \(HumanUnits.size(usage.totalBytes, digits: 4)); "
        text += "'strata system prune --all --volumes' frees \(HumanUnits.size(usage.prunableBytes, digits: 4)).\n"
        return text
    }

    /// The same as one object of lists, as Docker has it.
    var value: Value {
        .members([
            "Images": .array(
                images.map { row in
                    Self.imageListing.value(
                        row,
                        adding: [
                            "Bytes": .integer(row.image.size), "SharedBytes": .integer(row.usage?.shared ?? 0),
                            "UniqueBytes": .integer(row.usage?.unique ?? 0),
                        ])
                }),
            "Containers": .array(
                containers.map { row in
                    Self.containerListing.value(row, adding: ["Bytes": .integer(row.summary.size ?? 0)])
                }),
            "Volumes": .array(
                usage.volumes.map { row in
                    DiskUsageTables.volumeListing.value(row, adding: ["Bytes": .integer(row.size)])
                }),
            "BuildCache": .array(
                usage.stored.cache.map { row in
                    DiskUsageTables.cacheListing.value(row, adding: ["Bytes": .integer(row.size)])
                }),
            "Layers": .array(
                usage.layers.map { row in
                    DiskUsageTables.layerListing.value(row, adding: ["Bytes": .integer(row.record.diskUsage)])
                }),
            "LayerBytes": .integer(usage.stored.layerBytes),
            "ReclaimableLayerBytes": .integer(usage.stored.reclaimableLayerBytes),
            "StoreBytes": .integer(usage.totalBytes),
            "ReclaimableBytes": .integer(usage.prunableBytes),
        ])
    }
}
