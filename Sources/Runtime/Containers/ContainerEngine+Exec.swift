import FoundationEssentials
import ImageStore
import Linux
public import OCI

/// A further process for a container that runs.
public struct ExecOptions: Hashable, Sendable {
    /// The program and its arguments.
    public var arguments: [String]
    /// `NAME=value` strings over the container's.
    public var environment: [String] = []
    /// Absolute; nil for the container's.
    public var workingDirectory: String?
    /// `user[:group]`; nil for the container's.
    public var user: String?
    /// Whether the process gets a terminal.
    public var terminal = false
    /// Whether it gets the attachment's input.
    public var interactive = false

    /// A process that is as the container's own.
    public init(arguments: [String]) { self.arguments = arguments }
}

extension ContainerEngine {
    /// Runs a process in a container that runs, and returns its exit code.
    ///
    /// - Throws: `conflict` when the container does not run, `commandNotFound` and the like when the process cannot.
    public func exec(
        _ id: String, _ options: ExecOptions, attachment: Attachment
    ) throws(RuntimeError) -> Int32 {
        let container = try container(matching: id)
        guard container.state == .running else {
            throw RuntimeError(.conflict, "container \(container.name) is not running")
        }
        let paths = store.containerPaths(container.id)
        let driver = try context.driver(named: RunNote.read(paths)?.runtime)
        guard driver.kind == .runc else {
            // `crun exec --detach` leaves a process to us that we do not know and cannot bury, and that keeps the
            // container's process namespace from ending for as long as we live.
            throw RuntimeError(
                .runtimeUnusable, "container \(container.name) runs under crun, which takes no further processes",
                remedy: "start it with runc")
        }
        let size = attachment.terminal.flatMap { try? Terminal.size(of: $0.rawValue) }
        let file = "\(paths.directory)/exec-\(RandomName.hex(digits: 16))"
        try describe(options, of: container, paths, size, in: file)
        defer { for end in ["", ".log", ".pid"] { try? FileDescriptor.currentDirectory.unlink(file + end) } }

        let identity = ["execID": RandomName.hex(digits: 64)]
        let command = options.arguments.joined(separator: " ")
        report(
            container.events("exec_create: \(command)", identity) + container.events("exec_start: \(command)", identity)
        )
        let start = RuntimeDriver.Start(id: container.id, bundle: paths.bundle, process: file)
        let signals = try CaughtSignals(for: attachment)
        let process =
            options.terminal
            ? try ContainerProcess.startWithTerminal(driver, start, size: size)
            : try ContainerProcess.start(driver, start, withInput: options.interactive)
        let status = try process.attend(
            attachment, withInput: options.interactive, signals: signals?.number, onOutput: attachment.onOutput)
        withExtendedLifetime(signals) {}
        report(container.events("exec_die", identity.merging(["exitCode": String(status)]) { first, _ in first }))
        try attachment.requireWritten()
        return status
    }

    /// Writes the description of the process; runtime-spec, `process`.
    private func describe(
        _ options: ExecOptions, of container: ContainerRecord, _ paths: ContainerPaths, _ size: TerminalSize?,
        in file: String
    ) throws(RuntimeError) {
        let settings = try settings(of: container)
        var configuration = settings.configuration
        for entry in options.environment { try ContainerSettings.apply(entry, to: &configuration) }
        let command = Bundle.Command(
            arguments: options.arguments, environment: configuration.env,
            workingDirectory: options.workingDirectory ?? configuration.workingDir ?? "/",
            user: options.user ?? configuration.user ?? "", hostname: settings.hostname ?? container.shortID,
            terminal: options.terminal, terminalSize: size, isolation: settings.isolation)
        let process = try Bundle.process(command, rootfs: paths.rootfs)
        try Bundle.write(process, to: file)
    }
}
