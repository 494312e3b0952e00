import Glibc
import Linux
import OCI

/// Gets a commit of a repository by running git(1), which has to be installed.
struct GitCheckout {
    /// The directory that becomes the work tree; it need not exist.
    let directory: String
    /// Where git's messages go.
    let log: String
    /// Asked now and then; throws to stop.
    let checkpoint: () throws(BuildError) -> Void

    /// Fetches and checks out a commit, as little as the server gives; returns its name.
    ///
    /// All files get the time of the commit and modes that do not depend on the umask of this process.
    ///
    /// - Throws: `remote` when git is missing or cannot get it, or the commit is not the expected one.
    func run(_ reference: GitReference, expected: String?, keepsMetadata: Bool) throws(BuildError) -> String {
        if let fault = reference.fault {
            throw BuildError(.remote, "invalid address of \(reference.address): \(fault)")
        }
        let revision = reference.revision ?? reference.commit ?? "HEAD"
        if revision.hasPrefix("-") || reference.address.hasPrefix("-") {
            throw BuildError(.remote, "\(revision) of \(reference.address) is no revision")
        }
        try git(["init", "-q", "--", directory], reference)
        try git(["-C", directory, "remote", "add", "origin", reference.address], reference)
        let commit = try fetch(revision, reference)
        for expected in [expected, reference.commit].compactMap({ $0 }) where !commit.hasPrefix(expected.lowercased()) {
            throw BuildError(
                .remote, "\(reference.address) has the commit \(commit) for \(revision), not \(expected)")
        }
        try git(["-C", directory, "checkout", "-q", "--detach", commit], reference)
        let submodules = (try? FileDescriptor.currentDirectory.statusIfPresent(of: "\(directory)/.gitmodules")) ?? nil
        if submodules != nil {
            try git(["-C", directory, "submodule", "-q", "update", "--init", "--recursive"], reference)
        }
        try finish(reference, keepsMetadata: keepsMetadata || reference.keepsMetadata)
        return commit
    }

    /// Not every server gives a single commit, or one by its number: then more is asked for.
    private func fetch(_ revision: String, _ reference: GitReference) throws(BuildError) -> String {
        let fetch = ["-C", directory, "fetch", "-q", "--no-tags"]
        for depth in [["--depth=1"], []] where try isSuccess(fetch + depth + ["origin", revision]) {
            return try name(of: "FETCH_HEAD", reference)
        }
        // The messages of the attempt that gets everything are those to show if it fails.
        try git(["-C", directory, "fetch", "-q", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"], reference)
        for candidate in ["refs/remotes/origin/\(revision)", "refs/tags/\(revision)", revision] {
            if let commit = try? name(of: candidate, reference) { return commit }
        }
        throw BuildError(.remote, "\(reference.address) has no branch, tag or commit \(revision)")
    }

    private func name(of revision: String, _ reference: GitReference) throws(BuildError) -> String {
        try git(["-C", directory, "rev-parse", "-q", "--verify", "\(revision)^{commit}"], reference)
            .split(separator: "\n").last.map(String.init) ?? ""
    }

    private func finish(_ reference: GitReference, keepsMetadata: Bool) throws(BuildError) {
        let time = try git(["-C", directory, "log", "-1", "--format=%ct"], reference).filter(\.isNumber)
        if !keepsMetadata {
            // Those of submodules are files that name a directory.
            try command(["find", directory, "-name", ".git", "-prune", "-exec", "rm", "-rf", "{}", "+"], reference)
        }
        try command(["find", directory, "-depth", "-exec", "touch", "-h", "-d", "@\(time)", "{}", "+"], reference)
    }

    // MARK: Programs

    private static let script =
        "umask 022; unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE; export GIT_TERMINAL_PROMPT=0 LC_ALL=C; exec \"$@\""

    @discardableResult
    private func git(_ arguments: [String], _ reference: GitReference) throws(BuildError) -> String {
        try command(["git"] + arguments, reference)
    }

    @discardableResult
    private func command(_ words: [String], _ reference: GitReference) throws(BuildError) -> String {
        let (status, output) = try run(words)
        if status == 0 { return output }
        if status == 127 {
            throw BuildError(
                .remote, "cannot get \(reference.address): git is not installed", remedy: "install git")
        }
        let reason = output.split(separator: "\n").last { $0.hasPrefix("fatal:") || $0.hasPrefix("error:") }
        throw BuildError(
            .remote, "cannot get \(reference.address): \(reason.map(String.init) ?? "git ended with status \(status)")")
    }

    private func isSuccess(_ arguments: [String]) throws(BuildError) -> Bool {
        try run(["git"] + arguments).status == 0
    }

    /// Runs a program without a terminal, so that nothing waits for a password, and returns what it printed.
    private func run(_ words: [String]) throws(BuildError) -> (status: Int32, output: String) {
        let name = words.first ?? ""
        let child = try attempting("run \(name)") { () throws(Errno) in
            let nothing = try FileDescriptor.open("/dev/null")
            let output = try FileDescriptor.open(log, [.create, .truncate, .writeOnly], mode: 0o600)
            return try ChildProcess.spawn(
                "/bin/sh",
                arguments: ["sh", "-c", Self.script, "sh"] + words,
                descriptors: [nothing.rawValue, output.rawValue, output.rawValue], newSession: true)
        }
        do throws(BuildError) {
            while true {
                if let end = try attempting("wait for \(name)", { () throws(Errno) in try child.poll() }) {
                    let bytes = try attempting("read \(log)") { () throws(Errno) in
                        try FileDescriptor.open(log).readAll(limit: 16 << 20)
                    }
                    return (end.shellStatus, String(decoding: bytes, as: UTF8.self))
                }
                try checkpoint()
                usleep(2000)
            }
        } catch {
            try? child.signal(SIGTERM)
            _ = try? child.wait()
            throw error
        }
    }
}
