import ImageStore
public import Linux
public import OCI

/// What went wrong while mounting for, starting or tending a container.
public typealias RuntimeError = Failure<RuntimeFault>

/// The kinds of faults of `RuntimeError`, to be compared by programs.
public enum RuntimeFault: String, Hashable, Codable, Sendable {
    /// The mount helper or the OCI runtime is not installed.
    case helperMissing
    /// The union mount did not come up, or did not go away.
    case mountFailed
    /// The place is a mount point already, or otherwise in use.
    case busy
    /// The OCI runtime cannot work on this machine as it is.
    case runtimeUnusable
    /// The OCI runtime could not start the container.
    case startFailed
    /// The command exists and cannot be executed; Docker's exit code 126.
    case commandNotExecutable
    /// There is no such command in the container; Docker's exit code 127.
    case commandNotFound
    /// The user or group that was asked for is not in the image.
    case noSuchUser
    /// An option that makes no sense, such as a volume with a relative target.
    case badOption
    /// The container is in a state that does not allow what was asked.
    case conflict
    /// There is no such container, image or mount.
    case notFound
    /// The process that tended the container has gone.
    case supervisorLost
    /// A system call failed.
    case system
    /// The image store failed; the message is its own.
    case store
}

extension RuntimeError {
    /// The failure of a system call; `attempt` is what was to be done, such as "create /x".
    public init(_ attempt: String, _ error: Errno) {
        self.init(.system, "cannot \(attempt): \(error)", remedy: error.remedy)
    }

    /// The exit code that `docker run` has for this failure: 125, 126 or 127.
    public var exitCode: Int32 {
        switch code {
        case .commandNotExecutable: 126
        case .commandNotFound: 127
        default: 125
        }
    }
}

/// Runs system calls; their error becomes a `RuntimeError`.
let attempting = Attempt { RuntimeError($0, $1) }

/// Does something with the store; its error becomes a `RuntimeError`.
let fromStore = ErrorTranslation { (error: StoreError) in RuntimeError(error) }
