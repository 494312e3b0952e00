import BuildEngine
import ImageStore
import Linux
import OCI

/// What becomes of a built image besides its place in the store: a value of `--output`.
package struct BuildOutput: Hashable, Sendable {
    /// The kinds, by their names on the command line.
    package enum Kind: String, CaseIterable, Sendable {
        case local, tar, oci, docker, image, registry
    }

    package var kind: Kind
    /// A directory for `local`, else a file; nil or `-` for standard output.
    package var destination: String?
    package var pushes = false
    /// Names for the image besides those of `-t`.
    package var names: [String] = []
    /// Whether times in layers are set back to `SOURCE_DATE_EPOCH`; nil where nothing is said.
    package var rewritesTimes: Bool?
    /// What manifest and index say besides, as `--annotation` has it.
    package var annotations: [String] = []

    /// Whether the store keeps the image for it.
    package var keepsImage: Bool {
        switch kind {
        case .local, .tar, .oci: false
        case .docker: destination == nil
        case .image, .registry: true
        }
    }

    /// Reads `type=KIND,dest=PATH`, or a directory on its own, or `-` for a tar archive on standard output.
    package init(_ text: String) throws(EngineError) {
        guard text.contains("=") else {
            self = BuildOutput(kind: text == "-" ? .tar : .local, destination: text)
            return
        }
        var kind: Kind?
        var result = BuildOutput(kind: .image)
        for field in Self.fields(text) {
            let parts = field.parts(at: "=")
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "type":
                kind = Kind(rawValue: value)
                if kind == nil {
                    let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw EngineError(.badRequest, "there is no output of type \"\(value)\"", remedy: "one of \(kinds)")
                }
            case "dest": result.destination = value
            case "push": result.pushes = value.isEmpty || value == "true"
            case "name": result.names += value.split(separator: ",").map(String.init)
            case "rewrite-timestamp": result.rewritesTimes = value == "true"
            case let key where Self.annotation(key, value) != nil:
                result.annotations += Self.annotation(key, value).map { [$0] } ?? []
            // As it is here anyway.
            case "oci-mediatypes", "store", "unpack": continue
            default: throw EngineError(.badRequest, "\"\(parts[0])\" of --output \(text) is not supported")
            }
        }
        guard let kind else { throw EngineError(.badRequest, "--output \(text) has no type") }
        if kind == .local, result.destination == nil {
            throw EngineError(.badRequest, "--output \(text) has no dest", remedy: "name the directory to write")
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
    /// - Parameters:
    ///   - annotations: what an index says of the image.
    ///   - writer: opens what archives go to.
    func write(
        _ image: ImageRecord, _ result: BuildResult, _ annotations: [String: String], of engine: Engine,
        _ writer: Writer
    ) throws {
        let (store, builder) = (engine.store, engine.builder)
        let file = destination == "-" ? nil : destination
        switch kind {
        case .local: if let destination { try builder.exportFiles(of: image, to: destination, time: result.sourceDate) }
        case .tar: try writer(file) { try builder.exportArchive(of: image, time: result.sourceDate, to: $0) }
        case .docker where destination == nil: break
        case .oci, .docker:
            // Only the names of this build, and not all that the image has.
            let names = result.tags.isEmpty ? [image.id.description] : result.tags.map(\.description)
            var saved = try store.imagesToSave(names)
            for index in saved.indices { saved[index].annotations = annotations }
            try writer(file) { try store.save(saved, format: kind == .oci ? .oci : .docker, to: $0) }
        case .image, .registry: break
        }
    }
}
