import Linux

/// An SSH agent that commands may use (`--ssh`): the caller's, or one that was started for keys in files.
public struct BuildAgent: Sendable {
    /// The agent's socket.
    public let socket: String
    /// The agent that was started, which ends with the last value that names it.
    private let process: KeyAgent?

    /// An agent that is there.
    public init(socket: String) { (self.socket, process) = (socket, nil) }

    private init(_ process: KeyAgent) { (socket, self.process) = (process.socket, process) }

    /// Reads the value of `--ssh`, `default|ID[=SOCKET|KEYFILE[,KEYFILE…]]`; without a path it is the agent of
    /// `SSH_AUTH_SOCK`. For keys an agent is started; it needs OpenSSH.
    ///
    /// - Throws: `badOption` where there is no socket, or a key cannot be used.
    public static func parse(
        _ text: String, environment: (String) -> String?
    ) throws(BuildError) -> (id: String, agent: BuildAgent) {
        let parts = text.parts(at: "=")
        let id = parts.first.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
        guard let value = parts.count == 2 ? parts[1] : environment("SSH_AUTH_SOCK"), !value.isEmpty else {
            throw BuildError(
                .badOption, "there is no socket of an SSH agent for \(id)",
                remedy: "start ssh-agent and see to it that SSH_AUTH_SOCK is set, or write --ssh \(id)=KEYFILE")
        }
        let paths = value.split(separator: ",").map(String.init)
        var keys: [String] = []
        for path in paths {
            let status: FileStatus
            do throws(Errno) {
                status = try FileDescriptor.currentDirectory.status(of: path, followSymlinks: true)
            } catch {
                throw BuildError(.badOption, "cannot use \(path) as an SSH agent: \(error)")
            }
            if status.type == .socket {
                guard paths.count == 1 else {
                    throw BuildError(.badOption, "\(path) is a socket: it cannot be given beside keys or other sockets")
                }
                return (id, BuildAgent(socket: path))
            }
            guard status.isRegular else {
                throw BuildError(.badOption, "\(path) is neither a socket of an SSH agent nor a key")
            }
            keys.append(path)
        }
        return (id, BuildAgent(try KeyAgent(keys)))
    }
}

/// An `ssh-agent` that has some keys. It ends with this value, or with this process, however that ends.
private final class KeyAgent: Sendable {
    let socket: String
    private let directory: String
    private let child: ChildProcess
    /// What the agent's watcher reads: it has the agent end when nobody holds the other end any more.
    private let life: Int32

    private static let script = """
        command -v ssh-agent ssh-add >/dev/null || exit 1
        ssh-agent -D -a "$1" >/dev/null & agent=$!
        cat >/dev/null
        kill $agent; wait $agent
        """
    /// How long an agent may take to come up, in milliseconds.
    private static let patience: Int64 = 20_000

    init(_ keys: [String]) throws(BuildError) {
        let directory = "/tmp/strata-agent-\(RandomName.hex(digits: 12))"
        let socket = directory + "/socket"
        (self.directory, self.socket) = (directory, socket)
        (child, life) = try attempting("start ssh-agent") { () throws(Errno) in
            try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
            let pipe = try FileDescriptor.pipe()
            let nothing = try FileDescriptor.nullDevice()
            let child = try ChildProcess.spawn(
                "/bin/sh", arguments: ["sh", "-c", Self.script, "sh", socket],
                descriptors: [pipe.read.rawValue, nothing.rawValue, nothing.rawValue], newSession: true)
            let ends = pipe.release()
            _ = FileDescriptor(owning: ends.read)
            return (child, ends.write)
        }
        let limit = MonotonicClock.milliseconds + Self.patience
        while !FileDescriptor.currentDirectory.mayHave(socket) {
            guard MonotonicClock.milliseconds < limit, try hasBegun() else {
                throw BuildError(
                    .badOption, "cannot start an SSH agent for keys",
                    remedy: "install openssh-client, or give the socket of an agent")
            }
            MonotonicClock.sleep(milliseconds: 5)
        }
        for key in keys { try add(key) }
    }

    private func hasBegun() throws(BuildError) -> Bool {
        try attempting("start ssh-agent") { () throws(Errno) in try child.poll() == nil }
    }

    /// Gives the agent a key through a pipe: who may read the file is then nothing to the agent.
    private func add(_ key: String) throws(BuildError) {
        let status = try attempting("add the key \(key)") { () throws(Errno) in
            let file = try FileDescriptor.open(key)
            let nothing = try FileDescriptor.nullDevice()
            return try ChildProcess.spawn(
                "/bin/sh",
                arguments: [
                    "sh", "-c", "unset DISPLAY SSH_ASKPASS; SSH_AUTH_SOCK=$1 exec ssh-add -q -", "sh", socket,
                ], descriptors: [file.rawValue, nothing.rawValue, nothing.rawValue], newSession: true
            ).wait().shellStatus
        }
        if status != 0 {
            throw BuildError(
                .badOption, "\(key) cannot be used as an SSH key",
                remedy: "keys with a passphrase are for an agent: add it there, and give its socket")
        }
    }

    deinit {
        _ = FileDescriptor(owning: life)
        _ = try? child.wait()
        try? FileDescriptor.currentDirectory.removeTree(directory)
    }
}
