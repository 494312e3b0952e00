import ArgumentParser
import DockerDocuments
import Engine
import OCI
import Rendering

/// `strata history`
struct HistoryCommand: ParsableCommand {
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
    private let step: ImageHistoryEntry
    private let full: Bool

    init(_ step: ImageHistoryEntry, full: Bool) {
        self.step = step
        self.full = full
    }

    private var id: String { full || !step.id.contains(":") ? step.id : ShortText.id(step.id) }

    /// When it was done; nil where its image does not say.
    private var created: Timestamp? { step.created > 0 ? Timestamp(seconds: step.created) : nil }

    private var createdBy: String {
        let text = step.createdBy.replacing("\t", with: " ")
        return full ? text : ShortText.ellipsis(text.replacing("\n", with: " "), 45)
    }

    private var comment: String { full ? step.comment : ShortText.ellipsis(step.comment, 45) }

    static func listing(_ standard: [String], human: Bool) -> Listing<HistoryRow> {
        Listing(
            columns: [
                Column("ID", "IMAGE") { $0.id },
                Column("CreatedSince", "CREATED") { $0.created.map { HumanUnits.ago($0) } ?? "N/A" },
                Column("CreatedAt", "CREATED AT") { $0.created?.description ?? "N/A" },
                Column("CreatedBy", "CREATED BY") { $0.createdBy },
                Column("Size", "SIZE") { human ? HumanUnits.size($0.step.size) : String($0.step.size) },
                Column("Comment", "COMMENT") { $0.comment },
            ], standard: standard)
    }
}
