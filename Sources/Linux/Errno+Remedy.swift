internal import Glibc

extension Errno {
    /// What a user can do where a limit of this machine was met, whatever the object was; nil for other errors.
    ///
    /// EAGAIN is taken for what fork(2) and pthread_create(3) mean by it, so this is not for descriptors that do not block.
    public var remedy: String? {
        switch self {
        case .EMFILE:
            "raise the limit of open files, which is \(Self.descriptorLimit), with 'ulimit -n'"
        case .ENFILE: "the machine has as many open files as it may have: raise the sysctl fs.file-max"
        case .EAGAIN:
            "there may be no more processes and threads: raise 'ulimit -u', or pids.max of the control group"
        case .ENOMEM: "free some memory, or raise 'ulimit -v' or the control group's limit"
        case .EFBIG: "the file system allows no larger file, or 'ulimit -f' does not"
        case .ENAMETOOLONG: "file systems take names of 255 bytes and links of 4095 bytes at most"
        case .EMLINK: "the file system allows no more names of one file, or directories in one directory"
        default: nil
        }
    }

    /// The sentence for the number, and the remedy in parentheses where there is one.
    public var explained: String { remedy.map { "\(self) (\($0))" } ?? "\(self)" }

    /// How many descriptors this process may have.
    private static var descriptorLimit: String {
        var limit = rlimit()
        // RLIMIT_NOFILE
        guard getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return "unknown" }
        return String(limit.rlim_cur)
    }
}
