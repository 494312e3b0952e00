import BuildEngine
import Distribution
import FoundationEssentials
import ImageStore
import OCI
import Registry

/// What becomes of a built image besides its place in the store: `--output`, `--push`, `--metadata-file`.
struct BuildOutput: Hashable {
    /// The kinds, by their names on the command line.
    enum Kind: String, CaseIterable {
        case local, tar, oci, docker, image, registry
    }

    var kind: Kind
    /// A directory for `local`, else a file; nil or `-` for standard output.
    var destination: String?
    var pushes = false

    /// Reads `type=KIND,dest=PATH`, or a directory on its own, or `-` for a tar archive on standard output.
    init(_ text: String) throws(CommandError) {
        guard text.contains("=") else {
            self = BuildOutput(kind: text == "-" ? .tar : .local, destination: text)
            return
        }
        var kind: Kind?
        var destination: String?
        var pushes = false
        for field in text.split(separator: ",") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "type":
                kind = Kind(rawValue: value)
                if kind == nil {
                    let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandError(.usage, "there is no output of type \"\(value)\"", remedy: "one of \(kinds)")
                }
            case "dest": destination = value
            case "push": pushes = value.isEmpty || value == "true"
            default: throw CommandError(.usage, "\"\(parts[0])\" of --output \(text) is not supported")
            }
        }
        guard let kind else { throw CommandError(.usage, "--output \(text) has no type") }
        if kind == .local, destination == nil {
            throw CommandError(.usage, "--output \(text) has no dest", remedy: "name the directory to write")
        }
        self = BuildOutput(kind: kind, destination: destination, pushes: pushes || kind == .registry)
    }

    private init(kind: Kind, destination: String?, pushes: Bool = false) {
        (self.kind, self.destination, self.pushes) = (kind, destination, pushes)
    }

    /// Writes the image's files or documents where they are to go.
    func write(_ image: ImageRecord, _ references: [Reference], of store: ImageStore, with builder: Builder) throws {
        let file = destination == "-" ? nil : destination
        switch kind {
        case .local: if let destination { try builder.exportFiles(of: image, to: destination) }
        case .tar:
            try OutputFile.write(file, whatFor: "build") { sink in try builder.exportArchive(of: image, to: sink) }
        case .oci, .docker:
            // Only the names of this build, and not all that the image has.
            let names = references.isEmpty ? [image.id.description] : references.map(\.description)
            let saved = try store.imagesToSave(names)
            let format: ImageArchiveFormat = kind == .oci ? .oci : .docker
            try OutputFile.write(file, whatFor: "build") { sink in try store.save(saved, format: format, to: sink) }
        case .image, .registry: break
        }
    }

    /// Pushes an image under all its names.
    static func push(
        _ image: ImageRecord, _ references: [Reference], from store: ImageStore, _ settings: RegistrySettings,
        quiet: Bool
    ) throws {
        if references.isEmpty {
            throw CommandError(.usage, "cannot push an image without a name", remedy: "give it one with -t")
        }
        let display = TransferDisplay(quiet ? .quiet : .standardError)
        defer { display.end() }
        for reference in references {
            let pushed = try RegistrySession.run(settings) { session in
                let pusher = ImagePusher(
                    store: store, client: session.client(for: reference.domain),
                    others: { session.client(for: $0) }, report: { display.show($0) })
                return try await pusher.push(image, as: reference)
            }
            display.print("\(reference.tag ?? Reference.defaultTag): digest: \(pushed.digest) size: \(pushed.size)")
        }
    }

    /// What `--metadata-file` holds, with the keys of Buildx.
    static func metadata(_ image: ImageRecord, _ references: [Reference]) throws -> [UInt8] {
        var fields = [
            "containerimage.config.digest": image.id.description,
            "containerimage.digest": image.manifestDigest.description,
        ]
        if !references.isEmpty { fields["image.name"] = references.map(\.description).joined(separator: ",") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(fields)) + [UInt8(ascii: "\n")]
    }
}
