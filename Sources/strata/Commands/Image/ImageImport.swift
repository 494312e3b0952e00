import ArgumentParser
import BuildEngine
import Distribution
import ImageStore
import Linux
import OCI
import Registry

/// `strata import`
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an image of the archive of a root file system.",
        discussion: """
            The archive is a tar archive, compressed with gzip, xz, Zstandard or bzip2 or not at all.

            EXAMPLE: strata import -c 'CMD ["/bin/bash"]' debian.tar.xz debian:bookworm
            EXAMPLE: strata import https://example.com/rootfs.tar.gz example:latest
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Apply an instruction of Dockerfiles, such as 'ENV A=b'.", valueName: "instruction"))
    var change: [String] = []

    @Option(name: .shortAndLong, help: "What the history says of it.")
    var message: String?

    @Option(help: ArgumentHelp("What the image runs on (default: this machine).", valueName: "os/arch"))
    var platform: String?

    @Argument(help: ArgumentHelp("The archive, its address, or '-' for standard input.", valueName: "file|url|-"))
    var file: String

    @Argument(help: "The image's name.")
    var name: String?

    func run() throws {
        let tags = try name.map { [try Reference(parsing: $0)] } ?? []
        try ImageStore.requireTags(tags.filter { $0.digest == nil })
        if let tag = tags.first, tag.digest != nil {
            throw CommandError(.usage, "cannot import as \(tag.familiar): a name with a digest cannot be given")
        }
        let download = HTTPDownload(file)
        let now = try SourceDate.parse(Environment.nonEmpty(SourceDate.name)) ?? .now
        var configuration = ImageConfiguration(
            created: now, platform: try platform.map { try Platform(parsing: $0) } ?? .current,
            history: [OCI.History(created: now, comment: message ?? "Imported from \(download?.shownAddress ?? file)")])
        try ConfigurationChange.apply(change, to: &configuration.config)
        let options = try ImportOptions.fromEnvironment()
        let layer: LayerRecord
        let store: ImageStore
        if let download {
            store = try globals.openStore()
            layer = try fetch(download, into: store, options)
        } else {
            let archive = try open()
            store = try globals.openStore()
            let progress = ImportProgress.begin(archive.rawValue)
            defer { progress?.end() }
            layer = try store.importLayer(from: archive, options: options)
        }
        let image = try store.createImage(configuration: configuration, layers: [layer.id], tags: tags)
        try Console.print(image.id.description)
    }

    private func fetch(
        _ download: HTTPDownload, into store: ImageStore, _ options: ImportOptions
    ) throws -> LayerRecord {
        let display = TransferDisplay(.standardError)
        defer { display.end() }
        display.print("Downloading from \(download.shownAddress)")
        var settings = RegistrySettings(credentials: nil)
        settings.userAgent = RegistryOptions.userAgent
        return try BlockingTask.run { [settings] in
            try await download.importLayer(into: store, options: options, settings: settings) { done, total in
                display.show(.layer(id: "Archive", .downloading(done: done, total: total)))
            }
        }
    }

    private func open() throws(CommandError) -> FileDescriptor {
        do throws(Errno) {
            if file == "-" { return try Console.input.duplicate() }
            return try FileDescriptor.open(file)
        } catch {
            throw CommandError(.notFound, "cannot import \(file): \(error)")
        }
    }
}
