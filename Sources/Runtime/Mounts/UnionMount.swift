public import Linux
public import OCI

/// A mounted stack of directories and the process that serves it.
public struct UnionMount: Hashable, Codable, Sendable {
    /// Where it is mounted, absolute.
    public let mountPoint: String
    /// The process that serves it.
    public let serverPID: Int32
    /// When that process started, to tell it from a later one of the same number; see `ProcessTable.startTime`.
    public let serverStart: UInt64?
    /// Which mount it is; nil for one that an earlier version of Strata made, which did not ask.
    public private(set) var identity: MountIdentity?

    /// Describes a mount that was made earlier.
    public init(mountPoint: String, serverPID: Int32, serverStart: UInt64?, identity: MountIdentity? = nil) {
        self.mountPoint = mountPoint
        self.serverPID = serverPID
        self.serverStart = serverStart
        self.identity = identity
    }

    /// `FUSE_SUPER_MAGIC`.
    private static let magic: UInt64 = 0x6573_5546

    /// Linux allows 128 KiB for one argument; beyond this the paths are made relative.
    private static let longestOption = 100_000

    /// Mounts a stack of directories and returns when it can be used.
    ///
    /// The server runs in a session of its own and outlives this process; it ends when the mount is unmounted.
    ///
    /// - Parameters:
    ///   - lowers: absolute paths of the lower directories, the top one first.
    ///   - upper: the directory that takes the writes; nil mounts read-only.
    ///   - work: an empty directory on the upper's file system.
    ///   - mountPoint: an existing directory, absolute.
    ///   - permissions: what others and programs may do there.
    ///   - options: further options as the helper takes them.
    ///   - base: a directory that the paths may be given relative to when there are very many of them.
    ///   - log: a file that takes what the server says; nil for none.
    /// - Throws: `busy` when the place is a mount point already, `mountFailed` with the server's reason.
    public static func mount(
        _ helper: MountHelper, lowers: [String], upper: String? = nil, work: String? = nil, at mountPoint: String,
        permissions: MountPermissions = [], options: [String] = [], base: String? = nil, log: String? = nil
    ) throws(RuntimeError) -> UnionMount {
        let before = try identity(of: mountPoint)
        if before != (try identity(of: mountPoint + "/..")) {
            throw RuntimeError(
                .busy, "cannot mount at \(mountPoint): it is a mount point already", remedy: "unmount it first")
        }
        let (value, directory) = optionValue(
            lowers: lowers, upper: upper, work: work, options: helper.options + permissions.helperOptions + options,
            base: base)
        let messages = try openLog(log)
        let null = try attempting("open /dev/null") { () throws(Errno) in
            try FileDescriptor.nullDevice()
        }
        // Opened before the mount, so that it tells of it.
        let mounts = try attempting("open /proc/self/mountinfo") { () throws(Errno) in
            try FileDescriptor.open("/proc/self/mountinfo")
        }
        let server: ChildProcess
        do throws(Errno) {
            server = try ChildProcess.spawn(
                helper.path, arguments: [helper.path, "-f", "-o", value, mountPoint], directory: directory ?? "/",
                descriptors: [null.rawValue, null.rawValue, messages.rawValue], newSession: true)
        } catch {
            throw RuntimeError("run \(helper.path)", error)
        }
        var mount = UnionMount(
            mountPoint: mountPoint, serverPID: server.pid, serverStart: ProcessTable.startTime(of: server.pid))
        do throws(RuntimeError) {
            mount.identity = try mount.waitUntilReady(server, not: before, mounts: mounts, messages: messages)
        } catch {
            try? server.signal(Signals.kill)
            _ = try? server.wait()
            mount.clearAway(notMount: before)
            throw error
        }
        return mount
    }

    private static func optionValue(
        lowers: [String], upper: String?, work: String?, options: [String], base: String?
    ) -> (value: String, directory: String?) {
        let value = MountHelper.optionValue(lowers: lowers, upper: upper, work: work, options: options)
        guard value.utf8.count > longestOption, let base else { return (value, nil) }
        func relative(_ path: String) -> String {
            path.hasPrefix(base + "/") ? String(path.dropFirst(base.count + 1)) : path
        }
        let shorter = MountHelper.optionValue(
            lowers: lowers.map(relative), upper: upper.map(relative), work: work.map(relative), options: options)
        return (shorter, base)
    }

    private static func identity(of path: String) throws(RuntimeError) -> MountIdentity {
        do throws(Errno) {
            // Waits for the server of a mount there; a dead one is ENOTCONN.
            _ = try FileDescriptor.currentDirectory.status(of: path, followSymlinks: true)
            return try FileDescriptor.open(path, [.path, .directory]).mountIdentity()
        } catch {
            if error == .ENOTCONN {
                throw RuntimeError(
                    .busy, "cannot mount at \(path): a dead mount is in the way", remedy: "unmount it first")
            }
            throw RuntimeError(.mountFailed, "cannot mount at \(path): \(error)")
        }
    }

    private static func openLog(_ path: String?) throws(RuntimeError) -> FileDescriptor {
        try attempting("write \(path ?? "a file in /tmp")") { () throws(Errno) in
            if let path {
                return try FileDescriptor.open(path, [.readWrite, .create, .truncate, .append], mode: 0o600)
            }
            return try FileDescriptor.open("/tmp", [.readWrite, .temporaryFile], mode: 0o600)
        }
    }

    private func waitUntilReady(
        _ server: ChildProcess, not before: MountIdentity, mounts: borrowing FileDescriptor,
        messages: borrowing FileDescriptor
    ) throws(RuntimeError) -> MountIdentity {
        let end = try attempting("watch the mount server") { () throws(Errno) in
            try Supervision.descriptor(of: server.pid)
        }
        let deadline = MonotonicClock.milliseconds + 60_000
        while true {
            // A look at the mount's root waits until the server answers, so that success means ready.
            if let now = try? Self.identity(of: mountPoint), now != before,
                (try? FileSystemStatus(path: mountPoint))?.type == Self.magic
            {
                return now
            }
            if (try? server.poll()) != .some(.none) {
                let reason = Self.lastLine(of: messages) ?? "the mount server ended without giving a reason"
                throw RuntimeError(.mountFailed, "cannot mount at \(mountPoint): \(reason)")
            }
            if MonotonicClock.milliseconds > deadline {
                throw RuntimeError(.mountFailed, "cannot mount at \(mountPoint): no mount after a minute")
            }
            var poll = Poll()
            _ = poll.add(end.rawValue, .readable)
            _ = poll.add(mounts.rawValue, .priority)
            // The bound covers a change of the mounts that came between the look and the wait.
            _ = try? poll.wait(milliseconds: 20)
        }
    }

    private static func lastLine(of file: borrowing FileDescriptor) -> String? {
        guard (try? file.seek(0, from: .start)) != nil, let bytes = try? file.readAll(limit: 1 << 20) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").last.map(String.init)
    }
}
