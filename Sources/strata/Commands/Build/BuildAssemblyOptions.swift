import ArgumentParser
import BuildEngine
import Engine
import Linux
import OCI

/// What `build` makes of the image besides what the Dockerfile says; Docker's names, and one of Buildah's.
struct BuildAssemblyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Say something in the manifest: [manifest|manifest-descriptor:]KEY=VALUE.", valueName: "annotation"))
    var annotation: [String] = []

    @Flag(help: "Put all new layers together as one.")
    var squash = false

    @Flag(
        name: .customLong("rewrite-timestamp"), inversion: .prefixedNo,
        help: ArgumentHelp(
            "Where SOURCE_DATE_EPOCH is set, also set back the times of files in new layers that are later.",
            valueName: "boolean"))
    var rewriteTimestamp = true

    /// Puts them into the options of the builder, with what outputs say; returns what an index says of the image.
    func apply(to options: inout BuildOptions, _ outputs: [BuildOutput]) throws -> [String: String] {
        options.assembly.squashes = squash
        options.assembly.rewritesTimes = outputs.compactMap(\.rewritesTimes).last ?? rewriteTimestamp
        for name in outputs.flatMap(\.names) {
            let reference = try Reference(parsing: name)
            if !options.tags.contains(reference) { options.tags.append(reference) }
        }
        let variable = SourceDate.name
        if options.buildArguments[variable] == nil, let value = Environment.nonEmpty(variable) {
            options.buildArguments[variable] = value
        }
        var ofDescriptor: [String: String] = [:]
        for text in annotation + outputs.flatMap(\.annotations) {
            for (place, key, value) in try Self.parse(text) {
                switch place {
                case .manifest: options.assembly.annotations[key] = value
                case .descriptor: ofDescriptor[key] = value
                }
            }
        }
        return ofDescriptor
    }

    /// What says it.
    enum Place: Hashable {
        case manifest, descriptor
    }

    /// Reads `[TYPE[,TYPE…]:]KEY=VALUE`, each type perhaps with a platform, `manifest[linux/amd64]`, as buildx does.
    static func parse(_ text: String) throws(CommandError) -> [(Place, key: String, value: String)] {
        let parts = text.parts(at: "=")
        guard parts.count == 2 else {
            throw CommandError(.usage, "invalid annotation \"\(text)\"", remedy: "write it as KEY=VALUE")
        }
        var (key, places) = (parts[0], [Place.manifest])
        if let colon = key.firstIndex(of: ":") {
            places = []
            for type in key[..<colon].split(separator: ",", omittingEmptySubsequences: false) {
                switch type.prefix(while: { $0 != "[" }) {
                case "manifest": places.append(.manifest)
                case "manifest-descriptor": places.append(.descriptor)
                case "index", "index-descriptor":
                    throw CommandError(
                        .usage, "an image for one platform has no index to annotate with \"\(text)\"",
                        remedy: "use manifest: or manifest-descriptor:")
                default: throw CommandError(.usage, "there is no annotation of the type \"\(type)\"")
                }
            }
            key = String(key[key.index(after: colon)...])
        }
        if key.isEmpty { throw CommandError(.usage, "the annotation \"\(text)\" has no key") }
        let value = parts[1]
        return places.map { ($0, key, value) }
    }
}
