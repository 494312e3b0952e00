import ArgumentParser
import Engine
import ImageStore
import Linux
import OCI

/// `strata save`
struct Save: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images to an archive that other tools can load.",
        discussion: """
            The archive is a tar archive, not compressed; the same images always give the same bytes. Without --output it \
            goes to standard output.

            EXAMPLE: strata save -o web.tar web:1.0
            EXAMPLE: strata save --format oci-dir -o web-layout web:1.0
            EXAMPLE: strata save web:1.0 | ssh host docker load
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write to a file; with oci-dir, to a directory.", valueName: "file"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "'docker-archive' (which is an OCI layout as well), 'oci-archive' or 'oci-dir'.", valueName: "format"))
    private var format = Form.docker

    @Option(help: ArgumentHelp("Refuse images for anything else.", valueName: "os/arch"))
    var platform: String?

    @Argument(help: "The images: names, IDs or the beginnings of some.")
    var images: [String]

    func run() throws {
        if images.isEmpty { throw CommandError(.usage, "'strata save' requires at least 1 argument") }
        let wanted = try platform.map { try Platform(parsing: $0) }
        let engine = try globals.openEngine(creating: false)
        if format == .directory {
            guard let output else {
                throw CommandError(
                    .usage, "cannot save as oci-dir without the directory to write", remedy: "give it with -o")
            }
            return try engine.store.save(try engine.imagesToSave(images, for: wanted), toDirectory: output)
        }
        try OutputFile.write(output, whatFor: "save") { (sink) throws in
            try engine.store.save(try engine.imagesToSave(images, for: wanted), format: format.format, to: sink)
        }
    }
}

/// The forms as the command line spells them.
private enum Form: String, ExpressibleByArgument, CaseIterable {
    case docker = "docker-archive"
    case oci = "oci-archive"
    case directory = "oci-dir"

    var format: ImageArchiveFormat {
        switch self {
        case .docker: .docker
        case .oci: .oci
        case .directory: .directory
        }
    }
}
