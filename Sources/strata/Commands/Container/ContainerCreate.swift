import ArgumentParser
import ImageStore
import Linux
import OCI
import Rendering
import Runtime

/// `strata create`
struct Create: ParsableCommand, ContainerRunning, TakesCommandLine {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a container of an image without starting it.",
        usage: "strata create [<options>] <image> [<command> [<argument>...]]",
        discussion: "EXAMPLE: strata create --name web -e TARGET=world web:1.0", helpNames: .long)

    @OptionGroup var options: RunOptions

    func run() throws {
        let engine = try options.globals.openEngine()
        try Console.print(try options.create(with: engine, for: "create").id)
    }
}

extension RunOptions {
    /// Makes the container that the options describe.
    func create(with engine: ContainerEngine, for command: String) throws -> ContainerRecord {
        let settings = try containerOptions(for: command)
        let image = try suppliedImage(for: command, in: engine.context.store)
        let identification = try IdentificationFile(cidfile)
        let container = try engine.create(settings, image: image)
        try identification?.write(container.id)
        if let remark = isolation.remark { Console.complain(remark) }
        if !RuntimeContext.canLimitResources { Console.complain(ResourceOptions.remarkWithoutLimits) }
        return container
    }

    /// The image, fetched from its registry where that is asked for.
    private func suppliedImage(for command: String, in store: ImageStore) throws -> ImageRecord {
        var supply = ImageSupply(store: store, settings: registry.settings)
        supply.platform = try platform.map { try Platform(parsing: $0) }
        supply.output = quiet ? .quiet : .standardError
        return try supply.image(try self.image(for: command), pull)
    }
}

/// A file that takes the ID of what is made: `--cidfile`, `--iidfile`.
struct IdentificationFile: ~Copyable {
    private let path: String

    /// A file that must not exist yet; nil without a path.
    init?(_ path: String?) throws(CommandError) {
        guard let path else { return nil }
        self.path = path
        if (try? FileDescriptor.currentDirectory.statusIfPresent(of: path)) != .some(.none) {
            throw CommandError(.usage, "the file \(path) for the container's ID exists", remedy: "remove it first")
        }
    }

    func write(_ id: String) throws(CommandError) {
        try IdentificationFile.write(id, to: path)
    }

    /// Writes an ID to a file, in place of what it held.
    static func write(_ id: String, to path: String) throws(CommandError) {
        do throws(Errno) {
            try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644).writeAll(id)
        } catch {
            throw CommandError(.failed, "cannot write the ID to \(path): \(error)")
        }
    }
}
