import Glibc
import Linux
import TestSupport
import Testing

/// A store of its own for one test, and the built `strata` to work on it.
struct Strata {
    /// A scratch directory; the store is in it.
    let scratch: String
    /// The directory of the store.
    var root: String { scratch + "/store" }

    /// Runs `body` with an empty store; whatever happens, mounts, processes and files are gone afterwards. What a test
    /// that passed should have put away itself is reported.
    static func test(_ body: (Strata) throws -> Void) throws {
        let strata = Strata(scratch: try makeDirectory())
        var passed = false
        defer { strata.end(expectingOrder: passed) }
        try body(strata)
        passed = true
    }

    /// The same with an image `busybox` in the store.
    static func testWithBusybox(_ body: (Strata) throws -> Void) throws {
        try test { strata in
            try strata.importBusybox()
            try body(strata)
        }
    }

    private static func makeDirectory() throws -> String {
        var template = Array("/var/tmp/strata-e2e-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else {
            throw ProgramError(description: "cannot make a directory in /var/tmp")
        }
        return String(cString: path)
    }

    // MARK: Running

    /// The program under test: `STRATA`, else the one built with the tests.
    static func binary() throws -> String {
        if let path = getenv("STRATA") { return String(cString: path) }
        let test = try FileDescriptor.currentDirectory.readLink("/proc/self/exe")
        let directory = String(decoding: test, as: UTF8.self).split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(directory)/strata"
        guard access(path, X_OK) == 0 else {
            throw ProgramError(description: "there is no \(path); build it, or name another in STRATA")
        }
        return path
    }

    /// Runs `strata` with arguments, whatever comes of it.
    func run(
        _ arguments: [String], input: String = "", inputFile: String? = nil, directory: String? = nil,
        environment: [String: String] = [:], seconds: Int64 = 120
    ) throws -> Outcome {
        try Program.run(
            [try Strata.binary()] + arguments,
            environment: ["STRATA_ROOT": root].merging(environment) { _, new in new }, directory: directory,
            input: input, inputFile: inputFile, seconds: seconds)
    }

    /// Runs `strata`, which must succeed; returns standard output without the line feed at its end.
    @discardableResult
    func callAsFunction(
        _ arguments: String..., input: String = "", directory: String? = nil, seconds: Int64 = 120,
        location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try run(arguments, input: input, directory: directory, seconds: seconds)
        try #require(
            outcome.status == 0, "strata \(arguments.joined(separator: " ")): \(outcome)", sourceLocation: location)
        return outcome.line
    }

    /// Runs `strata`, which must fail with one line that tells why; returns that line without the program's name.
    @discardableResult
    func failure(
        of arguments: String..., status: Int32, input: String = "", environment: [String: String] = [:],
        location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try run(arguments, input: input, environment: environment)
        let call = "strata \(arguments.joined(separator: " ")): \(outcome)"
        #expect(outcome.status == status, "\(call)", sourceLocation: location)
        let complaints = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("strata: ") }
        try #require(complaints.count == 1, "\(call)", sourceLocation: location)
        return String(complaints[0].dropFirst("strata: ".count))
    }

    // MARK: What is there

    /// Makes the image `busybox` with all applets.
    @discardableResult
    func importBusybox(_ name: String = "busybox") throws -> String {
        let archive = try Busybox.archive()
        return try self("import", "-c", #"CMD ["/bin/sh"]"#, archive, name)
    }

    /// Writes a file below the scratch directory, with the directories it needs; returns its path.
    @discardableResult
    func write(_ text: String, to name: String, mode: UInt32 = 0o644) throws -> String {
        let path = "\(scratch)/\(name)"
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        try Program.shell("mkdir -p '/\(parent)'")
        try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: mode).writeAll(text)
        return path
    }

    /// A new directory below the scratch directory.
    func directory(_ name: String) throws -> String {
        let path = "\(scratch)/\(name)"
        try Program.shell("mkdir -p '\(path)'")
        return path
    }

    /// Mount points below the scratch directory.
    func mountPoints() throws -> [String] {
        let table = try FileDescriptor.open("/proc/self/mountinfo").readAll()
        return String(decoding: table, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 && fields[4].hasPrefix(scratch + "/") ? String(fields[4]) : nil
        }
    }

    /// Processes of others whose arguments name the scratch directory.
    func processes() throws -> [(pid: Int32, command: String)] {
        var found: [(Int32, String)] = []
        try FileDescriptor.open("/proc", .directory).forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            guard let pid = Int32(String(cString: entry.name)), pid != getpid(),
                let bytes = try? FileDescriptor.open("/proc/\(pid)/cmdline").readAll()
            else { return true }
            let command = String(decoding: bytes.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            if command.contains(scratch + "/") { found.append((pid, command)) }
            return true
        }
        return found
    }

    /// Names of what is unfinished in the store.
    func unfinished() throws -> [String] {
        let path = root + "/tmp"
        guard access(path, F_OK) == 0 else { return [] }
        return try FileDescriptor.open(path, .directory).sortedEntryNames().map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Expects that nothing is mounted, running or unfinished.
    func expectOrder(location: SourceLocation = #_sourceLocation) throws {
        // A server that was asked to end may take a moment longer than its mount.
        try waitUntil(seconds: 10) { try processes().isEmpty }
        #expect(try mountPoints() == [], sourceLocation: location)
        #expect(try processes().map(\.command) == [], sourceLocation: location)
        #expect(try unfinished() == [], sourceLocation: location)
    }

    // MARK: End

    private func end(expectingOrder: Bool) {
        _ = try? run(["umount"] + ((try? userMounts()) ?? []))
        let containers = (try? run(["ps", "-aq"]).lines) ?? []
        if !containers.isEmpty { _ = try? run(["rm", "-fv"] + containers) }
        if expectingOrder {
            do { try expectOrder() } catch { Issue.record("cannot look for what is left: \(error)") }
        }
        for mountPoint in ((try? mountPoints()) ?? []).reversed() {
            try? Mount.unmount(mountPoint, flags: [.detach, .noFollow])
        }
        for process in (try? processes()) ?? [] { try? Supervision.signal(SIGKILL, pid: process.pid) }
        try? FileDescriptor.currentDirectory.removeTree(scratch)
    }

    private func userMounts() throws -> [String] {
        try run(["mount", "--format", "{{.MountPoint}}"]).lines
    }
}
