import Glibc
import Linux
import TestSupport
import Testing

/// Directories for a mount, and the helper run on them by hand. Used through `withBench`.
final class HelperBench {
    let scratch: String

    init(_ scratch: String) throws {
        self.scratch = scratch
        for name in ["lower", "upper", "work", "merged"] { try makeDirectory(scratch.appending(name)) }
        try Area.with(scratch) { try $0.file("lower/f", "lower") }
    }

    func path(_ name: String) -> String { scratch.appending(name) }
    var target: String { path("merged") }
    var stack: String { "lowerdir=\(path("lower")),upperdir=\(path("upper")),workdir=\(path("work"))" }

    func helper(_ arguments: String...) throws -> FinishedProgram {
        try runProgram([try MountHelper.path()] + arguments, directory: scratch)
    }

    var isMounted: Bool {
        let points = try? FileDescriptor.open("/proc/self/mountinfo").readAll()
        return points.map { String(decoding: $0, as: UTF8.self).contains(" \(target) ") } ?? true
    }

    /// The options of the mount, from /proc/self/mountinfo: those of the mount and those of the file system.
    var mountedWith: String {
        let bytes = (try? FileDescriptor.open("/proc/self/mountinfo").readAll()) ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.first { $0.contains(" \(target) ") }.map(String.init) ?? ""
    }

    func unmount() throws {
        for _ in 0..<200 {
            do {
                try Mount.unmount(target)
                return
            } catch {
                if error != .EBUSY { throw error }
                usleep(10_000)
            }
        }
        throw Errno.EBUSY
    }

    /// Whether a process runs that was told our mount point.
    func serverRuns() throws -> Bool {
        let processes = try FileDescriptor.open("/proc", [.directory]).sortedEntryNames()
        for name in processes {
            let pid = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard Int32(pid) != nil, let bytes = try? FileDescriptor.open("/proc/\(pid)/cmdline").readAll() else {
                continue
            }
            if bytes.split(separator: 0).contains(where: { $0.elementsEqual(target.utf8) }) { return true }
        }
        return false
    }

    /// Mounts at the mount point, and where a refusal should have been.
    fileprivate func cleanUp() {
        for name in ["merged", "file", "absent"] {
            while (try? Mount.unmount(path(name), flags: [.detach, .noFollow])) != nil {}
        }
    }
}

func withBench(_ body: (HelperBench) throws -> Void) throws {
    try withScratch { scratch in
        let bench = try HelperBench(scratch)
        defer { bench.cleanUp() }
        try body(bench)
    }
}

/// Expects a mount that works, and takes it away again.
func expectMount(_ bench: HelperBench, _ finished: FinishedProgram, _ look: (Area) throws -> Void) throws {
    #expect(finished.status == 0, "\(finished.output)")
    #expect(finished.output == "")
    #expect(bench.isMounted)
    if bench.isMounted {
        try Area.with(bench.target, look)
        try bench.unmount()
    }
    try waitUntil(seconds: 20) { try !bench.serverRuns() }
    #expect(try !bench.serverRuns(), "the server is still there after its unmount")
}

/// Expects a refusal in one line that holds certain words, no mount, and no process.
func expectRefusal(_ bench: HelperBench, _ finished: FinishedProgram, saying words: String...) throws {
    #expect(finished.status != 0 && finished.status < 128, "status \(finished.status)")
    for word in words { #expect(finished.output.contains(word)) }
    let lines = finished.output.split(separator: "\n")
    #expect(lines.count == 1, "\(finished.output)")
    #expect(!bench.isMounted)
    #expect(try !bench.serverRuns())
}
