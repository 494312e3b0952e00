import ArgumentParser
import Engine
import ImageStore
import Linux
import OCI
import Registry
import Rendering

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

    func run() throws { try Console.print(try imported().id.description) }

    /// The image, once nothing of its making is shown any more.
    private func imported() throws -> ImageRecord {
        let download = HTTPDownload(file)
        let comment = message ?? "Imported from \(download?.shownAddress ?? file)"
        var request: ImportRequest
        var progress: ImportProgress?
        defer { progress?.end() }
        if let download {
            request = ImportRequest(.download(download), comment: comment)
        } else {
            let archive = try open()
            progress = ImportProgress.begin(archive)
            request = ImportRequest(.file(archive), comment: comment)
        }
        request.name = name
        request.changes = change
        request.platform = try platform.map { try Platform(parsing: $0) }
        let display = EngineDisplay(.standardError)
        defer { display.end() }
        return try globals.openEngine().importImage(request) { display.show($0) }
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
