import Glibc
import Linux

/// A command that did not do what it should.
package struct ShellError: Error, CustomStringConvertible {
    package var description: String
}

/// Runs a script of the host's shell, which must succeed, and returns what it printed without the line feed at the end.
@discardableResult
package func shell(_ script: String, in directory: String? = nil) throws -> String {
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
package func freePort() throws -> UInt16 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if number < 0 { throw ShellError(description: "cannot make a socket") }
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
    if !result { throw ShellError(description: "cannot find a free port") }
    return UInt16(bigEndian: address.sin_port)
}

/// Whether somebody listens on a port of the loopback interface.
package func isListening(_ port: UInt16) -> Bool {
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

/// Makes `cert.pem`, for a name and signed by itself, and `key.pem`.
package func makeCertificate(for name: String, in directory: String) throws {
    try shell(
        """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \\
            -subj '/CN=\(name)' -addext 'subjectAltName=DNS:\(name)' 2>/dev/null
        """, in: directory)
}
