import Linux

/// Why a server of a test did not come up.
private struct NoServer: Error {}

/// Serves the files of a directory over HTTP on the loopback interface as long as `body` runs, which gets the address
/// without a slash at the end. A Python program.
package func withWebServer(_ directory: String, _ body: (String) throws -> Void) throws {
    let program = """
        import http.server
        handler = http.server.SimpleHTTPRequestHandler
        handler.log_message = lambda *ignored: None
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        print(server.server_port, flush=True)
        server.serve_forever()
        """
    let nothing = try FileDescriptor.open("/dev/null", [.readWrite])
    let pipe = try FileDescriptor.pipe()
    let child = try ChildProcess.spawn(
        "python3", arguments: ["python3", "-c", program], directory: directory,
        descriptors: [nothing.rawValue, pipe.write.rawValue, nothing.rawValue], newSession: true)
    defer {
        try? child.signal(9)
        _ = try? child.wait()
    }
    let output = pipe.keepRead()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
    defer { buffer.deallocate() }
    let line = String(decoding: buffer[..<(try output.read(into: buffer))], as: UTF8.self)
    guard let port = Int(line.filter(\.isNumber)) else { throw NoServer() }
    try body("http://127.0.0.1:\(port)")
}
