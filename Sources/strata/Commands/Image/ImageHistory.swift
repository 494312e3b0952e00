import ArgumentParser
import ImageStore
import OCI

/// `strata history`
struct History: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show how an image was made, the latest step first.",
        discussion: "EXAMPLE: strata history --no-trunc web")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: FormatOptions

    @Flag(name: [.customShort("H"), .long], inversion: .prefixedNo, help: "Sizes and dates for people.")
    var human = true

    @Argument(help: "The image: a name, an ID or the beginning of one.")
    var image: String

    func run() throws {
        let store = try globals.openStore(creating: false)
        let image = try store.image(matching: image)
        let time = human ? "CreatedSince" : "CreatedAt"
        let listing = HistoryRow.listing(["ID", time, "CreatedBy", "Size", "Comment"], human: human)
        let rows = try HistoryRow.rows(of: image, in: store, full: format.noTruncation)
        try listing.show(rows, format: format.format, quiet: format.quiet ? "ID" : nil)
    }
}

/// A step of an image's making.
struct HistoryRow {
    var id: String
    var step: OCI.History
    /// Bytes of the step's layer.
    var size: Int64
    var full: Bool

    /// The steps, the latest first. Only the latest has an ID: that of the image.
    static func rows(of image: ImageRecord, in store: ImageStore, full: Bool) throws -> [HistoryRow] {
        var layers = image.layerIDs[...]
        var rows: [HistoryRow] = []
        for step in image.configuration.history {
            let layer = step.emptyLayer == true ? nil : layers.popFirst()
            let size = try layer.map { try store.layer($0).diskUsage } ?? 0
            rows.append(HistoryRow(id: "<missing>", step: step, size: size, full: full))
        }
        // Layers that the history does not tell of.
        for layer in layers {
            rows.append(
                HistoryRow(id: "<missing>", step: OCI.History(), size: try store.layer(layer).diskUsage, full: full))
        }
        if !rows.isEmpty { rows[rows.count - 1].id = full ? image.id.description : image.id.short }
        return rows.reversed()
    }

    private var createdBy: String {
        let text = (step.createdBy ?? "").replacing("\t", with: " ")
        return full ? text : ShortText.ellipsis(text.replacing("\n", with: " "), 45)
    }

    private var comment: String { full ? step.comment ?? "" : ShortText.ellipsis(step.comment ?? "", 45) }

    static func listing(_ standard: [String], human: Bool) -> Listing<HistoryRow> {
        Listing(
            columns: [
                Column("ID", "IMAGE") { $0.id },
                Column("CreatedSince", "CREATED") { $0.step.created.map { HumanUnits.ago($0) } ?? "N/A" },
                Column("CreatedAt", "CREATED AT") { $0.step.created?.description ?? "N/A" },
                Column("CreatedBy", "CREATED BY") { $0.createdBy },
                Column("Size", "SIZE") { human ? HumanUnits.size($0.size) : String($0.size) },
                Column("Comment", "COMMENT") { $0.comment },
            ], standard: standard)
    }
}
