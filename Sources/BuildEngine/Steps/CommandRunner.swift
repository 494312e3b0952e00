import ImageStore
import Linux
import OCI
import Runtime

/// Runs the commands of a build.
struct CommandRunner: Sendable {
    let runtime: RuntimeContext
    let reporter: ProgressReporter
    let stop: StopCheck
    let failures: FailedCommands

    /// Runs a command and returns the layer that it has left.
    func run(_ step: CommandStep, _ state: StageState) throws(BuildError) -> PendingLayer {
        try stop.check()
        var step = step
        let script = step.isScript ? try StepScript(step.command.arguments[0], in: step.mount.rootfs) : nil
        if let script { step.command.arguments = [script.path] }
        var lines = LastLines()
        let status: Int32
        do throws(RuntimeError) {
            status = try step.mount.run(step.command, cancellation: stop.cancellation) { stream, bytes in
                lines.append(bytes)
                reporter.output(step.number, stream, bytes)
            }
        } catch {
            try stop.check()
            guard error.code == .commandNotFound || error.code == .commandNotExecutable else {
                throw BuildError(error)
            }
            // As a shell would have it: the reason on standard error, and the status that stands for it.
            Array("\(error.message)\n".utf8).withUnsafeBytes {
                lines.append($0)
                reporter.output(step.number, .standardError, $0)
            }
            try script?.remove()
            throw failures.failure(step, status: error.exitCode, lines.finish(), state)
        }
        try script?.remove()
        try stop.check()
        if status != 0 { throw failures.failure(step, status: status, lines.finish(), state) }
        return try fromRuntime { () throws(RuntimeError) in try step.mount.commit() }
    }
}

/// A here-document with an interpreter of its own, put into the root file system for the time of its execution.
private struct StepScript {
    /// The path in the container.
    let path: String
    private let rootfs: String
    private let status: FileStatus

    init(_ text: String, in rootfs: String) throws(BuildError) {
        let name = ".strata-run-\(RandomName.hex(digits: 12))"
        path = "/" + name
        self.rootfs = rootfs
        status = try attempting("write \(path)") { () throws(Errno) in
            let root = try FileDescriptor.open(rootfs, [.directory])
            let status = try root.status()
            let file = try root.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o755)
            try file.setMode(0o755)
            try file.writeAll(text)
            return status
        }
    }

    /// Takes the script away again, as if it had never been there.
    func remove() throws(BuildError) {
        try attempting("remove \(path)") { () throws(Errno) in
            let root = try FileDescriptor.open(rootfs, [.directory])
            try root.unlink(String(path.dropFirst()))
            try root.setTimes(access: status.accessTime, modification: status.modificationTime)
        }
    }
}
