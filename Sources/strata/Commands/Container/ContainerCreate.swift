import ArgumentParser
import Engine
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

    static let plainFlags: Set = ["--rm", "-i", "--interactive", "-t", "--tty"]

    @OptionGroup var options: RunOptions

    func run() throws {
        let engine = try options.globals.openEngine()
        try Console.print(try options.create(with: engine, for: "create").id)
    }
}

extension RunOptions {
    /// Makes the container that the options describe.
    func create(with engine: Engine, for command: String, detached: Bool = false) throws -> ContainerRecord {
        var request = CreateRequest(try containerOptions(for: command), image: try image(for: command))
        request.options.isDetached = detached
        request.pull = pull
        request.platform = try platform.map { try Platform(parsing: $0) }
        request.access = registry.access
        let display = EngineDisplay(quiet ? .quiet : .standardError)
        defer { display.end() }
        var identification: IdentificationFile?
        let container = try engine.create(request) {
            display.show($0)
        } prepare: {
            display.end()
            identification = try IdentificationFile(cidfile)
        }
        try identification?.write(container.id)
        if let remark = isolation.remark { Console.complain(remark) }
        if !RuntimeContext.canLimitResources { Console.complain(ResourceOptions.remarkWithoutLimits) }
        return container
    }
}

/// A file that takes the ID of what is made: `--cidfile`, `--iidfile`.
struct IdentificationFile: ~Copyable {
    private let path: String

    /// A file that must not exist yet; nil without a path.
    init?(_ path: String?) throws(CommandError) {
        guard let path else { return nil }
        self.path = path
        if FileDescriptor.currentDirectory.mayHave(path) {
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
