import ArgumentParser
import Engine
import ImageStore
import Linux
import OCI
import Rendering

/// `strata load`
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Store the images of an archive that 'save' of this or another tool wrote.",
        discussion: """
            Archives of Docker and of OCI layouts are read, compressed with gzip, xz, Zstandard or bzip2 or not at all, \
            and OCI layouts that are directories.

            EXAMPLE: strata load -i web.tar
            EXAMPLE: strata load -i web-layout
            EXAMPLE: ssh host docker save web:1.0 | strata load
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Read a file or a layout's directory.", valueName: "file"))
    var input: String?

    @Option(
        help: ArgumentHelp(
            "Which image to take where a name stands for several (default: this machine's).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    func run() throws {
        let wanted = try platform.map { try Platform(parsing: $0) }
        for loaded in try load(try source(), for: wanted) {
            for reference in loaded.references {
                if let old = loaded.moved[reference] {
                    try Console.print(
                        "The image \(reference.familiar) already exists, renaming the old one with ID \(old) to empty string"
                    )
                }
                try Console.print("Loaded image: \(reference.familiar)")
            }
            if loaded.references.isEmpty { try Console.print("Loaded image ID: \(loaded.image.id)") }
        }
    }

    private func load(_ source: consuming LoadSource, for platform: Platform?) throws -> [LoadedImage] {
        let engine = try globals.openEngine()
        let progress = quiet ? nil : ImportProgress.begin(source)
        defer { progress?.end() }
        return try engine.load(source, for: platform)
    }

    private func source() throws(CommandError) -> LoadSource {
        if let input,
            (try? FileDescriptor.currentDirectory.status(of: input, followSymlinks: true))?.isDirectory == true
        {
            return .directory(input)
        }
        return .archive(try open())
    }

    private func open() throws(CommandError) -> FileDescriptor {
        let isStandardInput = input == nil || input == "-"
        if isStandardInput, Console.input.isTerminal {
            throw CommandError(
                .usage, "requested load from stdin, but stdin is a terminal", remedy: "give a file with -i")
        }
        do throws(Errno) {
            if let input, !isStandardInput { return try FileDescriptor.open(input) }
            return try Console.input.duplicate()
        } catch {
            throw CommandError(.notFound, "cannot load \(input ?? "standard input"): \(error)")
        }
    }
}
