import OCI
import Testing

@Suite struct ReferenceTests {
    struct Case: Sendable {
        var text, full, familiar: String
    }

    static let digest = "sha256:" + String(repeating: "0", count: 64)

    @Test(arguments: [
        Case(text: "alpine", full: "docker.io/library/alpine:latest", familiar: "alpine:latest"),
        Case(text: "ubuntu:14.04", full: "docker.io/library/ubuntu:14.04", familiar: "ubuntu:14.04"),
        Case(text: "diamol/node", full: "docker.io/diamol/node:latest", familiar: "diamol/node:latest"),
        Case(text: "docker.io/library/a", full: "docker.io/library/a:latest", familiar: "a:latest"),
        Case(text: "index.docker.io/a", full: "docker.io/library/a:latest", familiar: "a:latest"),
        Case(text: "docker.io/library/a/b", full: "docker.io/library/a/b:latest", familiar: "library/a/b:latest"),
        Case(text: "localhost/a", full: "localhost/a:latest", familiar: "localhost/a:latest"),
        Case(text: "localhost:5000/a:1", full: "localhost:5000/a:1", familiar: "localhost:5000/a:1"),
        Case(text: "127.0.0.1:5000/x/y", full: "127.0.0.1:5000/x/y:latest", familiar: "127.0.0.1:5000/x/y:latest"),
        Case(text: "[::1]:5000/x", full: "[::1]:5000/x:latest", familiar: "[::1]:5000/x:latest"),
        Case(text: "Host/x", full: "Host/x:latest", familiar: "Host/x:latest"),
        Case(text: "a__b/c.d-e---f", full: "docker.io/a__b/c.d-e---f:latest", familiar: "a__b/c.d-e---f:latest"),
        Case(text: "a@\(digest)", full: "docker.io/library/a@\(digest)", familiar: "a@\(digest)"),
        Case(text: "a:1@\(digest)", full: "docker.io/library/a:1@\(digest)", familiar: "a:1@\(digest)"),
        Case(text: "mybuild:0.0", full: "docker.io/library/mybuild:0.0", familiar: "mybuild:0.0"),
    ])
    func normalises(_ value: Case) throws {
        let reference = try Reference(parsing: value.text)
        #expect(reference.description == value.full)
        #expect(reference.familiar == value.familiar)
        #expect(try Reference(parsing: value.familiar) == reference)
        #expect(try Reference(parsing: value.full) == reference)
    }

    @Test(arguments: [
        "", ":", "/", "a/", "/a", "a//b", "UPPER", "a/B", "a:", "a:.x", "a:-x", "a b", "a@", "a@sha256:12", "-a", "a-",
        "a..b", "a___b", "a._b", "a.b-.com/x", "host:port/x", "a:" + String(repeating: "x", count: 129),
        String(repeating: "a", count: 256), String(repeating: "0", count: 64), "http://a/b", "ä", "a\nb", "../a",
        "[zz]/a", "a:b:c",
    ])
    func refuses(_ text: String) {
        let error = #expect(throws: OCIError.self) { try Reference(parsing: text) }
        #expect(error?.code == .badReference)
        #expect(error?.message.contains(text) == true)
    }

    @Test func withoutDefaultTag() throws {
        let reference = try Reference(parsing: "alpine", defaultTag: nil)
        #expect(reference.tag == nil)
        #expect(reference.familiar == "alpine")
        #expect(try reference.with(tag: "3").familiar == "alpine:3")
        #expect(throws: OCIError.self) { try reference.with(tag: "a/b") }
    }
}
