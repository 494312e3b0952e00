import ArgumentParser
import Distribution
import ImageStore
import OCI
import Rendering

/// `strata push`
struct Push: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Send an image to a registry.",
        discussion: """
            What the registry has is not sent. An image that was pulled keeps the digests it came with.

            EXAMPLE: strata push localhost:5000/tools/web:1.0
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var registry: RegistryOptions

    @Flag(name: .shortAndLong, help: "Send all tags of the repository.")
    var allTags = false

    @Flag(name: .shortAndLong, help: "Print nothing but the image's name.")
    var quiet = false

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag]"))
    var name: String

    func run() throws {
        let untagged = try Reference(parsing: name, defaultTag: nil)
        if untagged.digest != nil { throw CommandError(.usage, "cannot push \(name): a digest cannot be given") }
        let store = try globals.openStore()
        defer { try? store.releaseLeases() }
        if allTags {
            if untagged.tag != nil { throw CommandError(.usage, "a tag cannot be given with --all-tags") }
            let images = try store.images()
            let references = images.flatMap(\.references).filter { $0.name == untagged.name }
            if references.isEmpty {
                throw CommandError(.notFound, "An image does not exist locally with the tag: \(untagged.familiarName)")
            }
            for reference in references { try push(reference, from: store) }
            return
        }
        let reference = try Reference(parsing: name)
        if untagged.tag == nil, !quiet { try Console.print("Using default tag: \(Reference.defaultTag)") }
        try push(reference, from: store)
    }

    private func push(_ reference: Reference, from store: ImageStore) throws {
        let image = try image(reference, in: store)
        let display = TransferDisplay(quiet ? .quiet : .standardOutput)
        defer { display.end() }
        let pushed = try RegistrySession.run(registry.settings) { session in
            try await Self.pusher(session, reference, store, display).push(image, as: reference)
        }
        let tag = reference.tag ?? Reference.defaultTag
        display.print("\(tag): digest: \(pushed.digest) size: \(pushed.size)")
        if quiet { try Console.print(reference.description) }
    }

    private static func pusher(
        _ session: RegistrySession, _ reference: Reference, _ store: ImageStore, _ display: TransferDisplay
    ) -> ImagePusher {
        ImagePusher(
            store: store, client: session.client(for: reference.domain),
            others: { session.client(for: $0) }, report: { display.show($0) })
    }

    private func image(_ reference: Reference, in store: ImageStore) throws -> ImageRecord {
        do throws(StoreError) {
            return try store.image(matching: reference.description)
        } catch {
            guard error.code == .noSuchImage else { throw error }
            throw CommandError(
                .notFound, "An image does not exist locally with the tag: \(reference.familiar)",
                remedy: "name it with 'strata tag'")
        }
    }
}
