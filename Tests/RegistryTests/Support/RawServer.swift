import Linux
import Synchronization
import TestSupport
import Testing

/// A server that speaks as badly as it is told: what a test gives it it sends, byte for byte.
///
/// A Python program, as `FakeRegistry` is; it ends with the value.
final class RawServer: Sendable {
    /// What it does with each connection.
    enum Manner: String {
        /// Sends the text to every request, and keeps the connection.
        case answer
        /// Sends the text once, and then the part again and again.
        case endless
        /// Sends the text and closes.
        case close
        /// Takes connections and says nothing.
        case silent
        /// Takes no byte more than the head of a request, and answers nothing.
        case deaf
        /// Is a proxy: notes what it is asked, and connects with 127.0.0.1 whatever the host is.
        case proxy
    }

    let directory: String
    let port: UInt16
    private let child = Mutex<ChildProcess?>(nil)

    private let name: String

    var domain: String { "\(name):\(port)" }
    /// The file with the certificate of a server that speaks TLS.
    var certificate: String { directory + "/cert.pem" }
    /// What leads requests for the name here.
    var address: String { "\(domain):127.0.0.1" }

    /// - Parameter name: of a server that speaks TLS; it has a certificate for it that nobody has signed but itself.
    init(_ manner: Manner, _ text: String = "", part: String = "", name: String? = nil) throws {
        self.name = name ?? "localhost"
        directory = "/var/tmp/strata-raw-\(UInt64.random(in: 0...UInt64.max))"
        port = try freePort()
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        for (name, content) in [("server.py", RawServer.program), ("text", text), ("part", part)] {
            try FileDescriptor.open("\(directory)/\(name)", [.create, .writeOnly], mode: 0o600).writeAll(content)
        }
        if let name { try makeCertificate(for: name, in: directory) }
        let output = try FileDescriptor.open(directory + "/log", [.create, .writeOnly, .append], mode: 0o600)
        let nothing = try FileDescriptor.open("/dev/null")
        let started = try ChildProcess.spawn(
            "python3", arguments: ["python3", "server.py", "\(port)", manner.rawValue, name == nil ? "plain" : "tls"],
            directory: directory,
            descriptors: [nothing.rawValue, output.rawValue, output.rawValue], newSession: true)
        child.withLock { $0 = started }
        try #require(waitUntil { (try? lines().contains("listening")) == true })
    }

    deinit {
        child.withLock { child in
            try? child?.signal(9)
            _ = try? child?.wait()
        }
        try? FileDescriptor.currentDirectory.removeTree(directory)
    }

    /// What it noted: `connection`, `request LINE`, `header LINE`, `closed after N bytes`.
    func lines() throws -> [String] {
        String(decoding: try FileDescriptor.open(directory + "/log").readAll(), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// How many bytes it could send on the connection that sent the most, so far.
    func sentByteCount() throws -> Int {
        try lines().compactMap { $0.hasPrefix("sent ") ? Int($0.dropFirst(5)) : nil }.max() ?? 0
    }

    private static let program = #"""
        import socket, ssl, sys, threading
        tls = None
        if sys.argv[3] == "tls":
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain("cert.pem", "key.pem")
        port, manner = int(sys.argv[1]), sys.argv[2]
        text = open("text", "rb").read()
        part = open("part", "rb").read()
        lock = threading.Lock()
        def note(*words):
            with lock: print(*words, flush=True)
        def head(file):
            lines = []
            while True:
                line = file.readline(65536)
                if not line: return None
                line = line.decode("latin-1").rstrip("\r\n")
                if not line: return lines
                lines.append(line)
        def pump(source, target):
            try:
                while data := source.recv(65536): target.sendall(data)
                target.shutdown(socket.SHUT_WR)
            except OSError: pass
        def relay(connection, file, lines):
            method, target, _ = lines[0].split()
            if method == "CONNECT":
                other = socket.create_connection(("127.0.0.1", int(target.rsplit(":", 1)[1])))
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                thread = threading.Thread(target=pump, args=(connection, other))
                thread.start()
                pump(other, connection)
                thread.join()
            else:
                host, _, path = target.split("://", 1)[1].partition("/")
                other = socket.create_connection(("127.0.0.1", int(host.rsplit(":", 1)[1])))
                kept = [line for line in lines[1:] if not line.lower().startswith("proxy-")]
                other.sendall("\r\n".join([f"{method} /{path} HTTP/1.0", *kept, "", ""]).encode())
                pump(other, connection)
        def serve(connection):
            note("connection")
            sent = 0
            try:
                if tls: connection = tls.wrap_socket(connection, server_side=True)
                if manner == "silent":
                    while connection.recv(65536): pass
                file = connection.makefile("rb", buffering=0)
                while (lines := head(file)) is not None:
                    note("request", lines[0])
                    for line in lines[1:]: note("header", line)
                    if manner == "proxy": return relay(connection, file, lines)
                    if manner == "deaf": threading.Event().wait()
                    connection.sendall(text)
                    sent += len(text)
                    while manner == "endless":
                        connection.sendall(part)
                        sent += len(part)
                        note("sent", sent)
                    if manner == "close": return
            except OSError: pass
            finally:
                note("closed after", sent, "bytes")
                connection.close()
        server = socket.create_server(("127.0.0.1", port), backlog=64)
        note("listening")
        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

        """#
}
