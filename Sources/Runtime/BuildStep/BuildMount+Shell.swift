public import ImageStore
import Linux
public import OCI

extension BuildMount {
    /// Runs a command that somebody talks to, as to look around after another has failed; returns its exit status.
    ///
    /// With a terminal in the attachment the command has a terminal of its own, else pipes.
    ///
    /// - Parameters:
    ///   - attachment: what it reads from and prints to. Signals are not passed on, but for the size of the window.
    ///   - cancellation: kills the command when it fires.
    public func converse(
        _ command: BuildCommand, with attachment: Attachment, cancellation: Cancellation? = nil
    ) throws(RuntimeError) -> Int32 {
        let terminal = attachment.terminal
        let size = terminal.flatMap { try? Terminal.size(of: $0.rawValue) }
        let signals = try CaughtSignals(windowOf: terminal)
        defer { withExtendedLifetime(signals) {} }
        return try start(command, hasTerminal: terminal != nil, size: size) { (driver, start) throws(RuntimeError) in
            let process =
                terminal == nil
                ? try ContainerProcess.start(driver, start, withInput: true)
                : try ContainerProcess.startWithTerminal(driver, start, size: size)
            let status = try process.attend(
                attachment, withInput: true, signals: signals?.number, cancellation: cancellation,
                onOutput: attachment.onOutput)
            try attachment.requireWritten()
            return status
        }
    }

    /// Unmounts, and makes what changed the topmost layer of an image without a name.
    ///
    /// - Parameters:
    ///   - configuration: of the image.
    ///   - layers: those that were mounted, finished.
    public func keepAsImage(
        _ configuration: ImageConfiguration, on layers: [LayerID]
    ) throws(RuntimeError) -> ImageRecord {
        let store = context.store
        let pending = try commit()
        return try fromStore { () throws(StoreError) in
            try store.createImage(configuration: configuration, layers: layers + [try pending.finish().id], tags: [])
        }
    }
}
