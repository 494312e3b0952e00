import ArgumentParser
import Engine
import FoundationEssentials
import ImageStore
import Linux
import OCI

/// Where `build` puts its result besides the store; Docker's names.
struct BuildOutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write the result: a directory, or type=local|tar|oci|docker|image|registry,dest=PATH.",
            valueName: "output"))
    var output: [String] = []

    @Flag(help: "Push the image under its names; the same as --output=type=registry.")
    var push = false

    @Option(help: ArgumentHelp("Write the digests and names of the image to a file, as JSON.", valueName: "file"))
    var metadataFile: String?

    /// The outputs that are asked for; read before anything is built.
    func outputs() throws(EngineError) -> [BuildOutput] {
        var outputs: [BuildOutput] = []
        for text in output { outputs.append(try BuildOutput(text)) }
        return outputs
    }

    /// Writes what `--metadata-file` holds, with the keys of Buildx.
    func writeMetadata(_ image: ImageRecord, _ references: [Reference]) throws {
        guard let metadataFile else { return }
        var fields = [
            "containerimage.config.digest": image.id.description,
            "containerimage.digest": image.manifestDigest.description,
        ]
        if !references.isEmpty { fields["image.name"] = references.map(\.description).joined(separator: ",") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(fields)) + [UInt8(ascii: "\n")]
        do throws(Errno) {
            try FileDescriptor.open(metadataFile, [.create, .truncate, .writeOnly], mode: 0o644).writeAll(bytes)
        } catch {
            throw CommandError(.failed, "cannot write \(metadataFile): \(error)")
        }
    }
}
