import Glibc
import Linux

/// What went wrong in the test's own machinery, as opposed to in the file system under test.
struct SetupFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Calls `body` with a new empty directory on a real file system, and removes it with everything in it afterwards.
///
/// `STRATA_TEST_SCRATCH` puts the directories elsewhere than under /var/tmp, to test on another file system.
func withScratch<Result>(_ body: (String) throws -> Result) throws -> Result {
    // Not /tmp: that may be tmpfs, which cannot carry every upper directory.
    let parent = getenv("STRATA_TEST_SCRATCH").map { String(cString: $0) } ?? "/var/tmp"
    var template = Array(parent.appending("strata-test.XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw SetupFailure("mkdtemp in \(parent): \(Errno.current)") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
        do {
            try FileDescriptor.currentDirectory.removeTree(path)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }
    // mkdtemp gives 0700; tests act as other users, too.
    try FileDescriptor.currentDirectory.setMode(of: path, 0o755)
    return try body(path)
}

/// Mounts a new ext4 in a file, by way of a loop device, which goes with the mount.
func mountImage(_ image: String, on target: String, bytes: Int64 = 8 << 20) throws {
    try FileDescriptor.open(image, [.writeOnly, .create], mode: 0o600).truncate(to: bytes)
    for command in [["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, target]] {
        let finished = try runProgram(command)
        if finished.status != 0 { throw SetupFailure("\(command): \(finished.output)") }
    }
}

extension String {
    /// The path of a name in the directory that this string is the path of.
    func appending(_ name: String) -> String { self + "/" + name }
}

/// Makes a directory by its absolute path, and returns the path.
@discardableResult
func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws -> String {
    try FileDescriptor.currentDirectory.makeDirectory(path, mode: mode)
    return path
}
