import Linux

/// A command that failed, with what it printed.
struct CommandFailure: Error, CustomStringConvertible {
    var command: String
    var status: Int32
    var output: String
    var description: String { "`\(command)` ended with \(status): \(output)" }
}

/// Runs a script of /bin/sh in a directory and returns what it printed on both outputs; throws when it fails.
@discardableResult
func shell(_ script: String, in directory: String = "/") throws -> String {
    var pipe = try FileDescriptor.pipe()
    let null = try FileDescriptor.open("/dev/null")
    let child = try ChildProcess.spawn(
        "/bin/sh", arguments: ["sh", "-euc", script], directory: directory,
        descriptors: [null.rawValue, pipe.write.rawValue, pipe.write.rawValue])
    let read = pipe.keepRead()
    pipe = try FileDescriptor.pipe()
    let output = String(decoding: try read.readAll(), as: UTF8.self)
    let status = try child.wait().shellStatus
    if status != 0 { throw CommandFailure(command: script, status: status, output: output) }
    return output
}
