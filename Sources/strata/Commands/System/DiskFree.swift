import ArgumentParser
import Engine
import ImageStore
import Rendering
import Runtime

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
        // What a dead process ran or mounted keeps nothing.
        engine.containers.reconcile()
        if let explain { return try Explanation(holdings: try engine.holdings(of: explain)).show(format: format) }
        let store = engine.store
        let tables = DiskUsageTables(store: store, usage: try store.diskUsage(), volumes: try engine.volumeUsage())
        if !verbose {
            return try DiskUsageTables.summary.show(tables.lines, format: format)
        }
        let details = try DiskUsageDetails(tables)
        switch format {
        case nil, "table": try Console.write(try details.text())
        case "json": try Console.print(details.value.json)
        case .some(let source): try Console.write(rendered: try Template(source).text(for: details.value) + "\n")
        }
    }
}

/// What `system df -v` shows.
struct DiskUsageDetails {
    private let tables: DiskUsageTables
    private let images: [ImageRow]
    private let containers: [ContainerRow]
    private let layers: [DiskUsageTables.Layer]

    init(_ tables: DiskUsageTables) throws {
        self.tables = tables
        let records = try tables.store.imageSummaries()
        let usages = Dictionary(tables.usage.images.map { ($0.id, $0) }) { first, _ in first }
        images = ImageRow.rows(records).map { row in
            var row = row
            row.usage = usages[row.image.id]
            return row
        }
        containers = zip(
            ContainerRow.rows(tables.usage.containers.map(\.record), in: tables.store), tables.usage.containers
        )
        .map { row, usage in
            var row = row
            row.size = usage.size
            return row
        }
        layers = try tables.layers(images: records)
    }

    private static let imageListing = ImageRow.listing(
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
        text += try DiskUsageTables.volumeListing.text(tables.volumes, format: nil)
        text += "\nBuild cache usage: \(HumanUnits.size(tables.usage.cacheTotal.size, digits: 4))\n\n"
        text += try DiskUsageTables.cacheListing.text(tables.usage.cache, format: nil)
        text += "\nLayers space usage: \(HumanUnits.size(tables.usage.layerBytes, digits: 4)), "
        text += "\(HumanUnits.size(tables.usage.reclaimableLayerBytes, digits: 4)) reclaimable\n\n"
        text += try DiskUsageTables.layerListing.text(layers, format: nil)
        text += "\nThe store takes \(HumanUnits.size(tables.totalBytes, digits: 4)); "
        text += "'strata system prune --all --volumes' frees \(HumanUnits.size(tables.prunableBytes, digits: 4)).\n"
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
                    Self.containerListing.value(row, adding: ["Bytes": .integer(row.size ?? 0)])
                }),
            "Volumes": .array(
                tables.volumes.map { row in
                    DiskUsageTables.volumeListing.value(row, adding: ["Bytes": .integer(row.size)])
                }),
            "BuildCache": .array(
                tables.usage.cache.map { row in
                    DiskUsageTables.cacheListing.value(row, adding: ["Bytes": .integer(row.size)])
                }),
            "Layers": .array(
                layers.map { row in
                    DiskUsageTables.layerListing.value(row, adding: ["Bytes": .integer(row.record.diskUsage)])
                }),
            "LayerBytes": .integer(tables.usage.layerBytes),
            "ReclaimableLayerBytes": .integer(tables.usage.reclaimableLayerBytes),
            "StoreBytes": .integer(tables.totalBytes),
            "ReclaimableBytes": .integer(tables.prunableBytes),
        ])
    }
}
