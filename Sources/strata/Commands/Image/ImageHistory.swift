import ArgumentParser
import Engine
import OCI
import Rendering

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
        let time = human ? "CreatedSince" : "CreatedAt"
        let listing = HistoryRow.listing(["ID", time, "CreatedBy", "Size", "Comment"], human: human)
        let steps = try globals.openEngine(creating: false).history(of: image)
        let rows = steps.map { HistoryRow($0, full: format.noTruncation) }
        try listing.show(rows, format: format.format, quiet: format.quiet ? "ID" : nil)
    }
}

/// A step of an image's making.
struct HistoryRow {
    private var id: String
    private var step: OCI.History
    /// Bytes of the step's layer.
    private var size: Int64
    private var full: Bool

    init(_ step: Engine.HistoryStep, full: Bool) {
        id = step.imageID.map { full ? $0.description : $0.short } ?? "<missing>"
        self.step = step.step
        size = step.size
        self.full = full
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
