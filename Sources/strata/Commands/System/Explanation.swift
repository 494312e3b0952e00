import ImageStore
import OCI
import Rendering

/// `system df --explain`: who keeps a layer, or the layers of an image.
struct Explanation {
    let holdings: [LayerHolding]

    /// The layers, bottom first, each with all that keep it.
    func show(format: String?) throws {
        if format == "json" {
            for holding in holdings { try Console.print(Self.value(holding).json) }
            return
        }
        try Self.listing.show(holdings, format: format)
    }

    private static let listing = Listing<LayerHolding>(
        columns: [
            Column("ID", "LAYER ID") { ShortText.id(id($0)) },
            Column("Size", "SIZE") { HumanUnits.size($0.layer.diskUsage) },
            Column("Bytes", "BYTES") { String($0.layer.diskUsage) },
            Column("HeldBy", "HELD BY") { text($0.holders) },
        ], standard: ["ID", "Size", "HeldBy"])

    private static func id(_ holding: LayerHolding) -> String {
        holding.layer.diffID?.description ?? holding.layer.id.description
    }

    private static func text(_ holders: [LayerHolder]) -> String {
        if holders.isEmpty { return "nothing" }
        return holders.map(text).joined(separator: ", ")
    }

    private static func text(_ holder: LayerHolder) -> String {
        let name = holder.name
        switch holder.kind {
        case .image: return "image " + (name.hasPrefix("sha256:") ? ShortText.id(name) : name)
        case .container: return "container " + name
        case .build: return "build step " + name
        case .mount: return "mount " + name
        case .cache: return "build cache " + name
        case .lease: return "process " + name
        }
    }

    private static func value(_ holding: LayerHolding) -> Value {
        .members([
            "ID": .string(id(holding)), "Size": .string(HumanUnits.size(holding.layer.diskUsage)),
            "Bytes": .integer(holding.layer.diskUsage),
            "HeldBy": .array(
                holding.holders.map { .members(["Type": .string($0.kind.rawValue), "Name": .string($0.name)]) }),
        ])
    }
}
