import ImageStore
import OCI
import Runtime

/// A command on the mount that it runs on.
struct CommandStep {
    var command: BuildCommand
    /// Whether it is a here-document with an interpreter of its own.
    var isScript: Bool
    var mount: BuildMount
    /// The step's number in what is shown.
    var number: Int
}

/// What becomes of commands that have failed.
struct FailedCommands: Sendable {
    let options: BuildOptions
    let reporter: ProgressReporter
    let board: StageBoard
    let stop: StopCheck

    /// Opens a shell in the root file system of a failed command, or keeps its state as a container or as an image, as the
    /// caller of the build wants it; returns the error that the step ends with.
    func failure(_ step: CommandStep, status: Int32, _ lines: [String], _ state: StageState) -> BuildError {
        var error = BuildError(
            .commandFailed,
            "The command '\(step.command.arguments.joined(separator: " "))' returned a non-zero code: \(status)")
        error.exitStatus = status
        error.lastOutput = lines
        openShell(step, state, error)
        do throws(RuntimeError) {
            if !options.removesFailedContainer {
                let container = try step.mount.keep(exitCode: status)
                reporter.note(step.number, "the container is kept as \(container.name)")
                error.remedy = "look at the container \(container.name), then remove it"
            } else if options.keepsFailed {
                let image = try keepAsImage(step, state)
                reporter.note(step.number, "the state is kept as the image \(image.id)")
                error.remedy = "look at it with strata run -it --rm \(image.id.short) \(state.shell.first ?? "/bin/sh")"
            } else {
                step.mount.discard()
            }
        } catch {
            reporter.note(step.number, "the state could not be kept: \(error.message)")
            step.mount.discard()
        }
        return error
    }

    private func keepAsImage(_ step: CommandStep, _ state: StageState) throws(RuntimeError) -> ImageRecord {
        var configuration = state.image
        let now = Timestamp.now
        configuration.created = now
        configuration.history.append(
            History(
                created: now, createdBy: "RUN \(step.command.arguments.joined(separator: " ")) # strata, failed",
                comment: "strata"))
        var layers: [LayerID] = []
        do throws(BuildError) {
            for layer in state.layers { layers.append(try layer.record().id) }
        } catch {
            throw RuntimeError(.system, error.message)
        }
        return try step.mount.keepAsImage(configuration, on: layers)
    }

    /// Opens a shell with what the command had, if that is wanted and no other step has one.
    private func openShell(_ step: CommandStep, _ state: StageState, _ error: BuildError) {
        guard let debugShell = options.debugShell, stop.interruption?.isCancelled != true else { return }
        reporter.fail(step.number, error)
        guard board.endOthers(for: state.number, error) else { return }
        var command = step.command
        command.arguments = [state.shell.first ?? "/bin/sh"]
        let opened = command
        debugShell { attachment in
            try step.mount.converse(opened, with: attachment, cancellation: stop.interruption)
        }
    }
}
