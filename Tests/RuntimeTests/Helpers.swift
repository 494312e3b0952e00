import Linux
import Testing

/// Runs `body` with a fresh directory, which is removed afterwards in any case.
func withTemporaryDirectory<Value>(_ body: (String) throws -> Value) throws -> Value {
    var random = SystemRandomNumberGenerator()
    let path = "/var/tmp/strata-runtime-test-\(String(random.next(), radix: 16))"
    try makeDirectory(path)
    defer { try? FileDescriptor.currentDirectory.removeTree(path) }
    return try body(path)
}

func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws {
    try FileDescriptor.currentDirectory.makeDirectory(path, mode: mode)
}

func makeLink(_ path: String, to target: String) throws {
    try FileDescriptor.currentDirectory.makeSymbolicLink(path, to: target)
}

func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws {
    try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: mode).writeAll(text)
}

func read(_ path: String) throws -> String {
    String(decoding: try FileDescriptor.open(path).readAll(), as: UTF8.self)
}

/// Runs a program of the host's and returns what it printed; fails the test when it fails.
@discardableResult
func onHost(_ script: String) throws -> String {
    let output = try FileDescriptor.pipe()
    let child = try ChildProcess.spawn(
        "/bin/sh", arguments: ["sh", "-c", script], descriptors: [0, output.write.rawValue, 2])
    let reading = output.keepRead()
    let bytes = try reading.readAll()
    #expect(try child.wait() == .exited(0), "\(script)")
    return String(decoding: bytes, as: UTF8.self)
}
