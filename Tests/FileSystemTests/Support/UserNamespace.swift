import Glibc
import Linux

/// A user namespace as container engines without root make them: its root owns ids 0 to 65,535 of its own and has no right
/// over anything else, so no backing files, no `trusted.` attributes, no devices.
enum UserNamespace {
    private static let variable = "STRATA_TEST_ROOTLESS"

    /// Whether this process runs in such a namespace: started by `run`.
    static var isInside: Bool { getenv(variable) != nil }

    /// Runs a program as root of a new namespace that has mounts of its own, which end with the namespace, and a
    /// `/dev/fuse` that everybody may open. Its root is root outside too, where files are concerned; the other ids are
    /// those from 100,001 on.
    ///
    /// - Parameter user: who the namespace's root is outside.
    static func run(
        _ arguments: [String], user: UInt32 = 0, directory: String? = nil, seconds: Int = 300
    ) throws -> FinishedProgram {
        try withScratch { scratch in
            let node = scratch.appending("fuse")
            let device = DeviceNumber(major: 10, minor: 229).rawValue
            try FileDescriptor.currentDirectory.makeNode(node, mode: S_IFCHR, device: device)
            try FileDescriptor.currentDirectory.setMode(of: node, 0o666)
            let log = try FileDescriptor.open(scratch.appending("log"), [.readWrite, .create], mode: 0o600)
            let input = try FileDescriptor.open("/dev/null")
            // Rights come with the first exec after the ids have got their meaning.
            let wait = "until read -r _ < /proc/self/uid_map; do sleep 0.01; done; exec sh -c \"$@\""
            let enter = "mount --bind '\(node)' /dev/fuse && exec env \(variable)=1 timeout -s KILL \(seconds) \"$@\""
            let identity =
                user == 0 ? [] : ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
            let command = identity + ["unshare", "--user", "--mount", "sh", "-c", wait, "sh", enter, "sh"] + arguments
            let child = try ChildProcess.spawn(
                command[0], arguments: command, directory: directory,
                descriptors: [input.rawValue, log.rawValue, log.rawValue], newSession: true)
            do {
                try giveIDs(child, user: user)
            } catch {
                try? child.signal(SIGKILL)
                _ = try? child.wait()
                throw error
            }
            let end = try child.wait()
            _ = try log.seek(0, from: .start)
            return FinishedProgram(status: end.shellStatus, output: String(decoding: try log.readAll(), as: UTF8.self))
        }
    }

    /// Runs tests of this bundle in a new namespace: those whose names match the filter, as `swift test --filter` takes it.
    static func runTests(
        matching filter: String, skipping other: String? = nil, seconds: Int = 300
    ) throws -> FinishedProgram {
        let program = try FileDescriptor.currentDirectory.readLink("/proc/self/exe")
        var arguments = [String(decoding: program, as: UTF8.self)]
        // A tool that has loaded the bundle is told its name again.
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") && $0 != arguments[0] }),
            !arguments[0].hasSuffix(".xctest")
        {
            arguments += ["--test-bundle-path", bundle]
        }
        arguments += ["--testing-library", "swift-testing", "--no-parallel", "--filter", filter]
        if let other { arguments += ["--skip", other] }
        return try run(arguments, seconds: seconds)
    }

    /// Writes the maps of the namespace that a process is making for itself, once it has.
    private static func giveIDs(_ child: ChildProcess, user: UInt32) throws {
        let ours = try FileDescriptor.currentDirectory.readLink("/proc/self/ns/user")
        for attempt in 0... {
            let theirs = try? FileDescriptor.currentDirectory.readLink("/proc/\(child.pid)/ns/user")
            if let theirs, theirs != ours { break }
            if let end = try child.poll() {
                throw SetupFailure("no user namespace: unshare ended with status \(end.shellStatus)")
            }
            if attempt == 5000 { throw SetupFailure("no user namespace after 10 seconds") }
            usleep(2000)
        }
        for map in ["gid_map", "uid_map"] {
            try FileDescriptor.open("/proc/\(child.pid)/\(map)", .writeOnly).writeAll("0 \(user) 1\n1 100001 65535\n")
        }
    }
}
