import FoundationEssentials
import Linux
import OCI
import Synchronization
import TestSupport
import Testing

/// A registry that serves what a test gives it, and misbehaves as it is told.
///
/// A Python program: what is under test should not also be what it is tested with.
final class FakeRegistry: Sendable {
    let directory: String
    let port: UInt16
    private let child = Mutex<ChildProcess?>(nil)

    var domain: String { "localhost:\(port)" }

    /// - Parameters:
    ///   - token: whether requests need a token of its own making, which only the user `me`, password `secret`, gets.
    ///   - cut: after how many bytes the first answer with a blob of at least twice that length breaks off.
    ///   - ranges: whether requests for ranges are answered with them.
    init(token: Bool = false, cut: Int = 0, ranges: Bool = true, failures: Int = 0) throws {
        directory = "/var/tmp/strata-fake-\(UInt64.random(in: 0...UInt64.max))"
        port = try freePort()
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        try FileDescriptor.open(directory + "/registry.py", [.create, .writeOnly], mode: 0o600)
            .writeAll(FakeRegistry.program)
        let output = try FileDescriptor.open(directory + "/log", [.create, .writeOnly, .append], mode: 0o600)
        let nothing = try FileDescriptor.open("/dev/null")
        let started = try ChildProcess.spawn(
            "python3",
            arguments: [
                "python3", "registry.py", "\(port)", token ? "token" : "open", "\(cut)", ranges ? "ranges" : "none",
                "\(failures)",
            ], directory: directory,
            descriptors: [nothing.rawValue, output.rawValue, output.rawValue], newSession: true)
        child.withLock { $0 = started }
        try #require(waitUntil { isListening(port) })
    }

    deinit {
        child.withLock { child in
            try? child?.signal(9)
            _ = try? child?.wait()
        }
        try? FileDescriptor.currentDirectory.removeTree(directory)
    }

    /// The requests so far, as `METHOD path`.
    func requests() throws -> [String] {
        String(decoding: try FileDescriptor.open(directory + "/log").readAll(), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// What requests carried to prove who asks, as `METHOD path header`; nothing of those without.
    func credentials() throws -> [String] {
        guard let file = try? FileDescriptor.open(directory + "/credentials") else { return [] }
        return String(decoding: try file.readAll(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The bodies of requests that were answered by rules, as texts.
    func bodies() throws -> [String] {
        guard let file = try? FileDescriptor.open(directory + "/bodies") else { return [] }
        return String(decoding: try file.readAll(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// An answer of the test's own to requests of a method whose path fits a regular expression.
    struct Rule: Encodable {
        var method: String
        var path: String
        var status: Int
        var headers: [String: String] = [:]
        var times = 1
    }

    /// Has requests answered by the first rule that fits them and is not used up.
    func answer(_ rules: [Rule]) throws {
        try write(Array(try JSONEncoder().encode(rules)), "rules")
    }

    /// Serves bytes under the digest that they have, or a false one.
    @discardableResult
    func blob(_ content: [UInt8], as digest: Digest? = nil) throws -> Digest {
        let digest = digest ?? .sha256(of: content)
        try write(content, "blob-\(digest.hex)")
        return digest
    }

    /// Serves a manifest under a tag or digest.
    func manifest(_ content: String, type: MediaType, as name: String) throws {
        try write(Array(content.utf8), "manifest-\(name.replacing(":", with: "-"))")
        try write(Array(type.rawValue.utf8), "type-\(name.replacing(":", with: "-"))")
    }

    /// Serves a whole image of one layer; `change` may spoil its manifest.
    func image(
        _ tag: String, layer: [UInt8], type: MediaType = .layerTar, diffID: Digest? = nil,
        _ change: (inout Manifest) -> Void = { _ in }
    ) throws {
        let configuration = ImageConfiguration(rootFS: RootFS(diffIDs: [diffID ?? .sha256(of: layer)]))
        let document = Array(try JSON.encode(configuration))
        var manifest = Manifest(
            config: Descriptor(
                mediaType: .imageConfiguration, digest: try blob(document), size: Int64(document.count)),
            layers: [Descriptor(mediaType: type, digest: try blob(layer), size: Int64(layer.count))])
        change(&manifest)
        try self.manifest(
            String(decoding: try JSON.encode(manifest), as: UTF8.self), type: .imageManifest, as: tag)
    }

    private func write(_ content: [UInt8], _ name: String) throws {
        try FileDescriptor.open("\(directory)/\(name)", [.create, .writeOnly, .truncate], mode: 0o600).writeAll(content)
    }

    private static let program = #"""
        import base64, http.server, json, os, re, sys, urllib.parse
        port, token, cut, ranges, failures = int(sys.argv[1]), sys.argv[2] == "token", int(sys.argv[3]), sys.argv[4] == "ranges", int(sys.argv[5])
        state = {"cut": cut > 0, "failures": failures}
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *arguments): pass
            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items(): self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            def refuse(self, status, code, message, **headers):
                self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), **headers)
            def body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while length := int(self.rfile.readline(), 16):
                    body += self.rfile.read(length)
                    self.rfile.readline()
                self.rfile.readline()
                return body
            def is_ruled(self):
                proof = self.headers.get("Authorization")
                if proof:
                    with open("credentials", "a") as log: print(self.command, self.path, proof, file=log)
                if not os.path.exists("rules"): return False
                for number, rule in enumerate(json.load(open("rules"))):
                    if rule["method"] != self.command or not re.fullmatch(rule["path"], self.path): continue
                    if state.setdefault(number, 0) >= rule["times"]: continue
                    state[number] += 1
                    print(self.command, self.path, self.headers.get("Content-Range") or "", flush=True)
                    if body := self.body():
                        with open("bodies", "ab") as log: log.write(body + b"\n")
                    self.answer(rule["status"], b"", **rule["headers"])
                    return True
                return False
            def do_HEAD(self): self.do_GET()
            def do_PATCH(self): self.is_ruled() or self.refuse(405, "UNSUPPORTED", "no such rule")
            do_PUT = do_PATCH
            def do_POST(self):
                if self.is_ruled(): return
                length = int(self.headers.get("Content-Length") or 0)
                form = urllib.parse.parse_qs(self.rfile.read(length).decode())
                print("POST", self.path, json.dumps(form, sort_keys=True), flush=True)
                if form.get("refresh_token") == ["a refresh+token"]:
                    return self.answer(200, json.dumps({"access_token": "good", "expires_in": 300}).encode())
                self.refuse(401, "UNAUTHORIZED", "the refresh token is not known")
            def do_GET(self):
                if self.is_ruled(): return
                print(self.command, self.path, self.headers.get("Range") or "", flush=True)
                path = urllib.parse.urlsplit(self.path).path
                if path == "/token":
                    wanted = "Basic " + base64.b64encode(b"me:secret").decode()
                    if self.headers.get("Authorization") != wanted:
                        return self.refuse(401, "UNAUTHORIZED", "incorrect username or password")
                    return self.answer(200, json.dumps({"token": "good"}).encode())
                if token and self.headers.get("Authorization") != "Bearer good":
                    realm = 'Bearer realm="http://localhost:%d/token",service="fake",scope="whatever"' % port
                    return self.refuse(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=realm)
                if path == "/v2/": return self.answer(200, b"{}")
                if state["failures"] > 0:
                    state["failures"] -= 1
                    return self.refuse(503, "UNAVAILABLE", "come back later")
                found = re.fullmatch(r"/v2/.+/(manifests|blobs)/(.+)", path)
                if not found: return self.refuse(404, "NAME_UNKNOWN", "no such thing")
                name = found.group(2).replace(":", "-")
                if found.group(1) == "manifests":
                    if not os.path.exists("manifest-" + name): return self.refuse(404, "MANIFEST_UNKNOWN", "manifest unknown\x1b[31m")
                    return self.answer(200, open("manifest-" + name, "rb").read(), Content_Type=open("type-" + name).read())
                name = "blob-" + found.group(2)[7:]
                if not os.path.exists(name): return self.refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
                body = open(name, "rb").read()
                wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
                if wanted and ranges:
                    start = int(wanted.group(1))
                    return self.answer(206, body[start:], Content_Range="bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
                if state["cut"] and len(body) >= 2 * cut and self.command == "GET":
                    state["cut"] = False
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[:cut])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                self.answer(200, body)
        http.server.ThreadingHTTPServer.request_queue_size = 64
        http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()

        """#
}
