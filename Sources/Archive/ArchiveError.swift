public import Linux
public import OCI

/// Why an archive cannot be read or noted.
public typealias ArchiveError = Failure<ArchiveFault>

/// The kinds of faults of `ArchiveError`, to be compared by programs.
public enum ArchiveFault: String, Hashable, Sendable {
    /// It is no archive, is damaged, leads out of its directory, or is larger than accepted.
    case badArchive
    /// Its source is not what it should be.
    case corrupt
    /// The disk or the quota is full.
    case noSpace
    /// The calling user may not do that.
    case notPermitted
    /// Any other failure of the system.
    case io
}

extension ArchiveError {
    /// The failure of a system call; `attempt` is what was to be done, such as "read the archive".
    public init(_ attempt: String, _ error: Errno) {
        let fault: ArchiveFault =
            switch error {
            case .ENOSPC, .EDQUOT: .noSpace
            case .EPERM, .EACCES, .EROFS: .notPermitted
            default: .io
            }
        self.init(
            fault, "cannot \(attempt): \(error)",
            remedy: fault == .noSpace ? "free some space, then try again" : fault == .io ? error.remedy : nil)
    }
}
