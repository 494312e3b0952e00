import Glibc
import ImageStore
import Linux

/// A file that a command writes as a whole, or standard output.
enum OutputFile {
    typealias Sink = (UnsafeRawBufferPointer) throws(StoreError) -> Void

    /// Calls `body` with what takes the bytes. A file appears when it is complete, and not at all where that fails; a
    /// terminal is refused.
    ///
    /// - Parameter whatFor: the command, for messages.
    static func write(_ path: String?, whatFor command: String, _ body: (@escaping Sink) throws -> Void) throws {
        guard let path else {
            if BorrowedDescriptor.standardOutput.isTerminal {
                throw CommandError(
                    .usage, "cowardly refusing to \(command) to a terminal", remedy: "use the -o flag or redirect")
            }
            return try send(to: .standardOutput, "standard output", body)
        }
        if let status = try? FileDescriptor.currentDirectory.status(of: path, followSymlinks: true), !status.isRegular {
            // A device or a pipe is written as it is.
            let file = try open(path, [.writeOnly], path)
            try send(to: BorrowedDescriptor(file.rawValue), path, body)
            return withExtendedLifetime(file.rawValue) {}
        }
        let unfinished = path + ".strata-\(getpid())"
        do {
            let file = try open(unfinished, [.create, .truncate, .writeOnly, .noFollow], path)
            try send(to: BorrowedDescriptor(file.rawValue), path, body)
            do throws(Errno) {
                try file.close()
                try FileDescriptor.currentDirectory.rename(unfinished, to: .currentDirectory, path)
            } catch {
                throw CommandError(.failed, "cannot write \(path): \(error)")
            }
        } catch {
            unlink(unfinished)
            throw error
        }
    }

    private static func open(
        _ path: String, _ flags: OpenFlags, _ name: String
    ) throws(CommandError) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor.open(path, flags, mode: 0o600)
        } catch {
            throw CommandError(.failed, "cannot write \(name): \(error)")
        }
    }

    private static func send(
        to descriptor: BorrowedDescriptor, _ name: String, _ body: (@escaping Sink) throws -> Void
    ) throws {
        let isGone = Flag()
        do {
            try body { (piece) throws(StoreError) in
                do throws(Errno) {
                    try descriptor.writeAll(piece)
                } catch {
                    isGone.isSet = error == .EPIPE
                    throw StoreError("write \(name)", error)
                }
            }
        } catch {
            // A reader that has gone ends the program, as it ends others.
            if isGone.isSet { throw CommandError.exit(128 + SIGPIPE) }
            throw error
        }
    }

    private final class Flag {
        var isSet = false
    }
}
