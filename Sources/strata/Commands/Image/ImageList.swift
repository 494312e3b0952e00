import ArgumentParser
import Engine
import ImageStore
import OCI
import Rendering

/// What `strata images` and `strata image ls` take.
struct ImageListOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: FormatOptions

    @Flag(name: .shortAndLong, help: "Accepted; there are no hidden images.")
    var all = false

    @Flag(help: "Show digests.")
    var digests = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "label=KEY[=VALUE], dangling=true|false, reference=PATTERN, before=IMAGE, since=IMAGE or until=TIME.",
            valueName: "filter"))
    var filter: [String] = []

    @Argument(help: "Only images of that name, which may be a pattern.")
    var repository: String?

    func execute() throws {
        let request = try ImageListRequest(filters: filter, name: repository)
        let images = try globals.openEngineForList()?.images(request) ?? []
        for image in images {
            guard let damage = image.damage else { continue }
            Console.complain("the image \(image.references.first?.familiar ?? image.id.short) is damaged: \(damage)")
        }
        let showsDigests = digests || format.format?.contains("Digest") == true
        let rows = ListedImage.rows(images, withDigests: showsDigests, full: format.noTruncation)
        let columns =
            digests
            ? ["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"]
            : ["Repository", "Tag", "ID", "CreatedSince", "Size"]
        try ListedImage.listing(columns).show(rows, format: format.format, quiet: format.quiet ? "ID" : nil)
    }
}

/// `strata images`
struct Images: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List images.",
        discussion: "EXAMPLE: strata images --filter label=purpose=practice")

    @OptionGroup var options: ImageListOptions

    func run() throws { try options.execute() }
}

/// `strata image ls`
struct ImageList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List images.",
        discussion: "EXAMPLE: strata image ls --format 'table {{.Repository}}\\t{{.Size}}'", aliases: ["list"])

    @OptionGroup var options: ImageListOptions

    func run() throws { try options.execute() }
}
