import ArgumentParser
import Engine
import ImageStore
import Linux
import Rendering
import Runtime

/// `strata start`
struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start containers that were made earlier or have ended.",
        discussion: "EXAMPLE: strata start -ai web")

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Show what it prints, pass on signals, and end with its exit status.")
    var attach = false

    @Flag(name: .shortAndLong, help: "Pass on standard input as well.")
    var interactive = false

    @Argument(help: "Containers: names, IDs or beginnings of IDs.")
    var containers: [String]

    func run() throws {
        let engine = try globals.openEngine()
        if attach || interactive {
            guard containers.count == 1, let name = containers.first else {
                throw CommandError(.usage, "you cannot start and attach multiple containers at once", status: 1)
            }
            let container = try engine.containers.container(matching: name)
            if container.state == .running { return try Attach.attach(to: name, engine, withInput: interactive) }
            var attachment = Attachment.ownStreams()
            if !interactive { attachment.input = nil }
            let status = try engine.containers.start(container.id, attachment: attachment)
            if status != 0 { throw CommandError.exit(status) }
            return
        }
        try forEach(containers) { name in
            try engine.start(name)
            try Console.print(name)
        }
    }
}
