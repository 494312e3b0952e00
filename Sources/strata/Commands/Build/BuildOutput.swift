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
    /// Names for the image besides those of `-t`.
    var names: [String] = []
    /// Whether times in layers are set back to `SOURCE_DATE_EPOCH`; nil where nothing is said.
    var rewritesTimes: Bool?
    /// What manifest and index say besides, as `--annotation` has it.
    var annotations: [String] = []

    /// Whether the store keeps the image for it.
    var keepsImage: Bool {
        switch kind {
        case .local, .tar, .oci: false
        case .docker: destination == nil
        case .image, .registry: true
        }
    }

    /// Reads `type=KIND,dest=PATH`, or a directory on its own, or `-` for a tar archive on standard output.
    init(_ text: String) throws(CommandError) {
        guard text.contains("=") else {
            self = BuildOutput(kind: text == "-" ? .tar : .local, destination: text)
            return
        }
        var kind: Kind?
        var result = BuildOutput(kind: .image)
        for field in Self.fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "type":
                kind = Kind(rawValue: value)
                if kind == nil {
                    let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandError(.usage, "there is no output of type \"\(value)\"", remedy: "one of \(kinds)")
                }
            case "dest": result.destination = value
            case "push": result.pushes = value.isEmpty || value == "true"
            case "name": result.names += value.split(separator: ",").map(String.init)
            case "rewrite-timestamp": result.rewritesTimes = value == "true"
            case let key where Self.annotation(key, value) != nil:
                result.annotations += Self.annotation(key, value).map { [$0] } ?? []
            // As it is here anyway.
            case "oci-mediatypes", "store", "unpack": continue
            default: throw CommandError(.usage, "\"\(parts[0])\" of --output \(text) is not supported")
            }
        }
        guard let kind else { throw CommandError(.usage, "--output \(text) has no type") }
        if kind == .local, result.destination == nil {
            throw CommandError(.usage, "--output \(text) has no dest", remedy: "name the directory to write")
        }
        result.kind = kind
        if kind == .registry { result.pushes = true }
        self = result
    }

    private init(kind: Kind, destination: String? = nil) {
        (self.kind, self.destination) = (kind, destination)
    }

    /// The fields between commas; those in quotes may have commas themselves, as in `"name=a,b"`.
    private static func fields(_ text: String) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
        }
        return fields
    }

    /// `annotation.KEY` or `annotation-TYPE.KEY` as `--annotation` has it; nil for anything else.
    private static func annotation(_ key: String, _ value: String) -> String? {
        guard key.hasPrefix("annotation") else { return nil }
        let rest = key.dropFirst("annotation".count)
        guard let dot = rest.firstIndex(of: ".") else { return nil }
        let type = rest[..<dot]
        let name = rest[rest.index(after: dot)...]
        if type.isEmpty { return "\(name)=\(value)" }
        return type.first == "-" ? "\(type.dropFirst()):\(name)=\(value)" : nil
    }

    /// Writes the image's files or documents where they are to go.
    ///
    /// - Parameter annotations: what an index says of the image.
    func write(
        _ image: ImageRecord, _ result: BuildResult, _ annotations: [String: String], of store: ImageStore,
        with builder: Builder
    ) throws {
        let references = result.tags
        let file = destination == "-" ? nil : destination
        switch kind {
        case .local: if let destination { try builder.exportFiles(of: image, to: destination, time: result.sourceDate) }
        case .tar:
            try OutputFile.write(file, whatFor: "build") { sink in
                try builder.exportArchive(of: image, time: result.sourceDate, to: sink)
            }
        case .docker where destination == nil: break
        case .oci, .docker:
            // Only the names of this build, and not all that the image has.
            let names = references.isEmpty ? [image.id.description] : references.map(\.description)
            var saved = try store.imagesToSave(names)
            for index in saved.indices { saved[index].annotations = annotations }
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
