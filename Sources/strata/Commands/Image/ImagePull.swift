import ArgumentParser
import Distribution
import ImageStore
import OCI
import Rendering

/// `strata pull`
struct Pull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch an image from a registry.",
        discussion: """
            Layers that the store has are not fetched. What an interrupted pull has finished stays for the next one.

            EXAMPLE: strata pull --platform linux/arm64 localhost:5000/tools/web:1.0
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var registry: RegistryOptions

    @Flag(name: .shortAndLong, help: "Fetch all tags of the repository.")
    var allTags = false

    @Option(help: ArgumentHelp("What the image is to run on (default: this machine).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .shortAndLong, help: "Print nothing but the image's name.")
    var quiet = false

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag|@digest]"))
    var name: String

    func run() throws {
        let wanted = try platform.map { try Platform(parsing: $0) }
        let untagged = try Reference(parsing: name, defaultTag: nil)
        let store = try globals.openStore()
        defer { try? store.releaseLeases() }
        if allTags {
            if untagged.tag != nil || untagged.digest != nil {
                throw CommandError(.usage, "a tag cannot be given with --all-tags")
            }
            for tag in try Transfers.tags(of: untagged, registry.settings) {
                try pull(try untagged.with(tag: tag), to: store, wanted)
            }
            return
        }
        let reference = try Reference(parsing: name)
        if untagged.tag == nil, untagged.digest == nil, !quiet {
            try Console.print("Using default tag: \(Reference.defaultTag)")
        }
        try pull(reference, to: store, wanted)
    }

    private func pull(_ reference: Reference, to store: ImageStore, _ platform: Platform?) throws {
        let display = TransferDisplay(quiet ? .quiet : .standardOutput)
        defer { display.end() }
        _ = try Transfers.pull(reference, to: store, registry.settings, platform: platform, display)
        try Console.print(reference.description)
    }
}
