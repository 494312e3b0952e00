import Glibc
import Linux
import Testing

/// A command that did not do what it should.
struct ShellError: Error, CustomStringConvertible {
    var description: String
}

/// Runs a script of the host's shell, which must succeed, and returns what it printed without the line feed at the end.
@discardableResult
func shell(_ script: String, in directory: String? = nil) throws -> String {
    let output = try FileDescriptor.open("/tmp", [.readWrite, .temporaryFile], mode: 0o600)
    let child = try ChildProcess.spawn(
        "/bin/bash", arguments: ["bash", "-euo", "pipefail", "-c", script], directory: directory,
        descriptors: [0, output.rawValue, output.rawValue])
    let status = try child.wait().shellStatus
    _ = try output.seek(0, from: .start)
    let text = String(decoding: try output.readAll(), as: UTF8.self)
    if status != 0 { throw ShellError(description: "\(script): status \(status): \(text)") }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
}

/// A TCP port of the loopback interface that nobody listens on.
func freePort() throws -> UInt16 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(number >= 0)
    defer { close(number) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let size = length
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            bind(number, pointer, size) == 0 && getsockname(number, pointer, &length) == 0
        }
    }
    try #require(result)
    return UInt16(bigEndian: address.sin_port)
}

/// Whether somebody listens on a port of the loopback interface.
func isListening(_ port: UInt16) -> Bool {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
