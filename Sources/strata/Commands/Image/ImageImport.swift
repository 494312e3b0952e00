import ArgumentParser
import ImageStore
import Linux
import OCI

/// `strata import`
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an image of the archive of a root file system.",
        discussion: """
            The archive is a tar archive, compressed with gzip, xz, Zstandard or bzip2 or not at all.

            EXAMPLE: strata import -c 'CMD ["/bin/bash"]' debian.tar.xz debian:bookworm
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

    @Argument(help: "The archive, '-' for standard input.")
    var file: String

    @Argument(help: "The image's name.")
    var name: String?

    func run() throws {
        let tags = try name.map { [try Reference(parsing: $0)] } ?? []
        if let tag = tags.first, tag.digest != nil {
            throw CommandError(.usage, "cannot import as \(tag.familiar): a name with a digest cannot be given")
        }
        let now = Timestamp.now
        var configuration = ImageConfiguration(
            created: now, platform: try platform.map { try Platform(parsing: $0) } ?? .current,
            history: [OCI.History(created: now, comment: message ?? "Imported from \(file)")])
        try ConfigurationChange.apply(change, to: &configuration.config)
        let options = try ImportOptions.fromEnvironment()
        let archive = try open()
        let store = try globals.openStore()
        let progress = ImportProgress.begin(archive.rawValue)
        let layer: LayerRecord
        do {
            defer { progress?.end() }
            layer = try store.importLayer(from: archive, options: options)
        }
        let image = try store.createImage(configuration: configuration, layers: [layer.id], tags: tags)
        try Console.print(image.id.description)
    }

    private func open() throws(CommandError) -> FileDescriptor {
        if file.contains("://") {
            throw CommandError(
                .usage, "cannot import \(file): addresses are not fetched",
                remedy: "fetch it with another program, then import the file or '-'")
        }
        do throws(Errno) {
            if file == "-" { return try Console.input.duplicate() }
            return try FileDescriptor.open(file)
        } catch {
            throw CommandError(.notFound, "cannot import \(file): \(error)")
        }
    }
}
