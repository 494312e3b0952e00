import ArgumentParser
import BuildEngine
import ImageStore
import Linux
import OCI
import Registry

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
    func outputs() throws(CommandError) -> [BuildOutput] {
        var outputs: [BuildOutput] = []
        for text in output { outputs.append(try BuildOutput(text)) }
        return outputs
    }

    /// Whether the image is only for files outside the store: nothing else asks for it, and it has no name.
    func isForFilesOnly(_ outputs: [BuildOutput], _ options: BuildOptions) -> Bool {
        !outputs.isEmpty && !push && options.tags.isEmpty && !outputs.contains { $0.keepsImage || $0.pushes }
    }

    /// Writes and pushes what was built.
    func carryOut(
        _ outputs: [BuildOutput], _ result: BuildResult, _ annotations: [String: String], of store: ImageStore,
        with builder: Builder, _ settings: RegistrySettings, quiet: Bool
    ) throws {
        let image = try store.image(id: result.imageID)
        defer { try? store.releaseLeases() }
        for output in outputs { try output.write(image, result, annotations, of: store, with: builder) }
        if push || outputs.contains(where: \.pushes) {
            try BuildOutput.push(image, result.tags, from: store, settings, quiet: quiet)
        }
        guard let metadataFile else { return }
        let bytes = try BuildOutput.metadata(image, result.tags)
        do throws(Errno) {
            try FileDescriptor.open(metadataFile, [.create, .truncate, .writeOnly], mode: 0o644).writeAll(bytes)
        } catch {
            throw CommandError(.failed, "cannot write \(metadataFile): \(error)")
        }
    }
}
