import Glibc
import Linux

/// A union mount under test, with the directories that it is made of.
///
/// Used through `withUnion`, which unmounts and reaps the server whatever happens.
final class MountedUnion {
    /// Who serves the mount.
    enum Server: Sendable {
        /// Strata's own mount helper.
        case strata
        /// The kernel's overlay, with the options whose meaning Strata follows.
        case kernel
    }

    let server: Server
    /// Uppermost first, as in the option.
    let lower: [String]
    /// Nil for a read-only mount.
    let upper: String?
    let work: String
    /// The mount point.
    let target: String
    private let options: [String]
    private var process: ChildProcess?

    /// Makes the directories that the mount needs besides the lower ones; does not mount yet.
    init(_ server: Server, in scratch: String, lower: [String], writable: Bool, options: [String]) throws {
        self.server = server
        self.lower = lower
        self.options = options
        upper = writable ? try makeDirectory(scratch.appending("upper")) : nil
        work = try makeDirectory(scratch.appending("work"))
        target = try makeDirectory(scratch.appending("merged"))
    }

    /// The same directories, served by another. Only one of the two may be mounted at a time.
    init(_ server: Server, sharing other: MountedUnion) {
        self.server = server
        lower = other.lower
        upper = other.upper
        work = other.work
        target = other.target
        options = []
    }

    /// The value of `-o`.
    var optionString: String {
        var parts = ["lowerdir=" + lower.joined(separator: ":")]
        if let upper { parts += ["upperdir=\(upper)", "workdir=\(work)"] }
        if server == .kernel {
            // What is kept in `user.` attributes anybody may have written, so the kernel follows no redirects from there.
            parts += UserNamespace.isInside ? ["userxattr"] : ["redirect_dir=on", "index=on", "xino=on", "metacopy=on"]
        }
        return (parts + options).joined(separator: ",")
    }

    func mount() throws {
        switch server {
        case .kernel:
            try mountKernelOverlay()
        case .strata:
            try startHelper()
        }
    }

    private func mountKernelOverlay() throws {
        var attempts = 0
        while true {
            do {
                try Mount.mount(source: "overlay", target: target, type: "overlay", options: optionString)
                return
            } catch {
                // Somebody else's new mount namespace may hold a copy of the mount that we have just taken away.
                attempts += 1
                if error != .EBUSY || attempts == 500 {
                    throw SetupFailure("mounting a kernel overlay with \(optionString): \(error)")
                }
                usleep(20_000)
            }
        }
    }

    /// Starts the helper in the foreground under timeout(1), so that a server that hangs cannot hang the test: killing
    /// it ends every request with an error.
    private func startHelper() throws {
        let before = try FileDescriptor.currentDirectory.status(of: target)
        let helper = try MountHelper.path()
        let child = try ChildProcess.spawn(
            "timeout",
            arguments: ["timeout", "-s", "KILL", "600", helper, "-f", "-o", optionString, target], newSession: true)
        process = child
        // Ready when the mount point has become the root of another file system.
        for _ in 0..<5000 {
            if let now = try? FileDescriptor.currentDirectory.status(of: target), now.device != before.device {
                return
            }
            if let end = try child.poll() {
                process = nil
                throw SetupFailure("\(helper) -o \(optionString) \(target) ended with status \(end.shellStatus)")
            }
            usleep(2000)
        }
        throw SetupFailure("\(helper) -o \(optionString) \(target) was not ready after 10 seconds")
    }

    /// Takes the mount away and waits for the end of its server.
    func unmount() throws {
        var attempts = 0
        while true {
            do {
                try Mount.unmount(target)
                break
            } catch {
                attempts += 1
                if error != .EBUSY { throw SetupFailure("umount \(target): \(error)") }
                if attempts == 100 {
                    try? Mount.unmount(target, flags: [.detach, .noFollow])
                    throw SetupFailure("umount \(target): still busy after a second; detached")
                }
                usleep(10_000)
            }
        }
        try reap()
    }

    /// A new server on the same directories, and empty kernel caches.
    func remount() throws {
        try unmount()
        try mount()
    }

    /// Ends the server without warning, and takes the dead mount away.
    func killServer() throws {
        guard let child = process else { throw SetupFailure("there is no server to kill") }
        process = nil
        // timeout(1) stands between us and the server; its session is theirs alone.
        if kill(-child.pid, SIGKILL) < 0 { throw Errno.current }
        _ = try child.wait()
        try Mount.unmount(target, flags: [.detach, .noFollow])
    }

    /// Waits for the end of a server whose mount is gone.
    func reap() throws {
        guard let child = process else { return }
        process = nil
        // Long, because a new mount namespace of somebody else's may hold a copy of the mount for a while.
        for _ in 0..<10_000 {
            if let end = try child.poll() {
                if end != .exited(0) {
                    throw SetupFailure("the mount server ended with status \(end.shellStatus) after its unmount")
                }
                return
            }
            usleep(2000)
        }
        try? child.signal(SIGTERM)
        usleep(500_000)
        try? child.signal(SIGKILL)
        _ = try? child.wait()
        throw SetupFailure("the mount server was still running 20 seconds after its unmount")
    }

    /// Ends everything without complaint: for the way out after a failure, and harmless after `unmount`.
    func cleanUp() {
        while (try? Mount.unmount(target, flags: [.detach, .noFollow])) != nil {}
        try? reap()
    }
}

/// Mounts a stack of layers and calls `body`; unmounts afterwards, and then complains about a busy mount or a server
/// that ended badly.
///
/// - Parameters:
///   - layers: called with an empty directory each, the lowest layer first, to fill them.
func withUnion<Result>(
    _ server: MountedUnion.Server = .strata, writable: Bool = true, options: [String] = [],
    layers: [(Area) throws -> Void] = [{ _ in }], _ body: (MountedUnion) throws -> Result
) throws -> Result {
    try withScratch { scratch in
        var lower: [String] = []
        for (index, fill) in layers.enumerated() {
            let path = try makeDirectory(scratch.appending("layer\(index)"))
            try Area.with(path) { area in try fill(area) }
            lower.insert(path, at: 0)
        }
        return try withUnion(server, writable: writable, options: options, below: lower, body)
    }
}

/// The same over layers that exist, the uppermost first.
func withUnion<Result>(
    _ server: MountedUnion.Server = .strata, writable: Bool = true, options: [String] = [], below lower: [String],
    _ body: (MountedUnion) throws -> Result
) throws -> Result {
    try withScratch { scratch in
        let union = try MountedUnion(server, in: scratch, lower: lower, writable: writable, options: options)
        defer { union.cleanUp() }
        try union.mount()
        let result = try body(union)
        try union.unmount()
        return result
    }
}
