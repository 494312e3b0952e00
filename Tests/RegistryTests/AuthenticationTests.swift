import Distribution
import FoundationEssentials
import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import Registry

@Suite struct AuthenticationTests {
    @Test func basicCredentialsFromTheConfiguration() async throws {
        let registry = try DebianRegistry(user: ("me", "secret:with colons"))
        let store = try RegistryStore()
        _ = try store.image("image:one", ["echo one > one"])
        let name = "\(registry.domain)/private:one"
        let refused = await #expect(throws: DistributionError.self) { try await store.push("image:one", as: name) }
        #expect(refused?.code == .registry(.unauthorized))
        #expect(refused?.message.contains("UNAUTHORIZED") == true, "\(refused?.message ?? "")")
        #expect(refused?.remedy?.contains("strata login \(registry.domain)") == true)

        var settings = RegistryStore.settings
        settings.explicitCredentials = .password(user: "me", password: "wrong")
        let client = RegistryClient(domain: registry.domain, settings: settings)
        let wrong = await #expect(throws: RegistryError.self) {
            try await RegistryStore.closing([client]) { try await client.logIn() }
        }
        #expect(wrong?.code == .unauthorized)

        let configuration = DockerConfiguration(directory: store.directory + "/docker")
        try configuration.store(.password(user: "me", password: "secret:with colons"), for: registry.domain)
        settings = RegistryStore.settings
        settings.credentials = configuration
        let pushed = try await store.push("image:one", as: name, settings)
        #expect(try await store.pull(name, settings).digest == pushed.digest)
        // Other tools read the same file.
        try shell(
            "skopeo inspect --tls-verify=false --authfile '\(configuration.path)' docker://\(name)", in: store.directory
        )
    }

    @Test func theFileKeepsWhatElseItSays() throws {
        let store = try RegistryStore()
        let configuration = DockerConfiguration(directory: store.directory + "/docker")
        #expect(try configuration.credentials(for: "example.com") == nil)
        #expect(try !configuration.erase("example.com"))
        try shell(
            """
            mkdir docker
            echo '{"HttpHeaders":{"X":"y"},"auths":{"https://other.org/v1/":{"auth":"YTpi"}}}' > docker/config.json
            """, in: store.directory)
        #expect(try configuration.credentials(for: "other.org") == .password(user: "a", password: "b"))
        try configuration.store(.password(user: "ü", password: "p"), for: "docker.io")
        try configuration.store(.identityToken("t"), for: "example.com:5000")
        #expect(try configuration.credentials(for: "docker.io") == .password(user: "ü", password: "p"))
        #expect(try configuration.credentials(for: "example.com:5000") == .identityToken("t"))
        #expect(try shell("stat -c %a docker/config.json", in: store.directory) == "600")
        let names = try shell(
            "jq -r '.HttpHeaders.X, (.auths|keys[])' docker/config.json || python3 -c '\(Self.dump)'",
            in: store.directory)
        #expect(
            names.split(separator: "\n").map(String.init) == [
                "y", "example.com:5000", "https://index.docker.io/v1/", "https://other.org/v1/",
            ])
        #expect(try configuration.erase("docker.io"))
        #expect(try configuration.credentials(for: "docker.io") == nil)
        try shell("echo '{' > docker/config.json", in: store.directory)
        let error = #expect(throws: RegistryError.self) { try configuration.credentials(for: "docker.io") }
        #expect(error?.code == .credentials)
    }

    private static let dump =
        "import json; d=json.load(open(\"docker/config.json\")); print(d[\"HttpHeaders\"][\"X\"], *sorted(d[\"auths\"]), sep=chr(10))"

    @Test func helpersKeepCredentials() throws {
        let store = try RegistryStore()
        // A helper after the protocol: one file per server.
        let helper = """
            #!/bin/bash
            cd '\(store.directory)/kept'
            case $1 in
            get) read -r server; file=$(printf %s "$server" | sha256sum | cut -c1-20)
                 [ -e "$file" ] || { echo 'credentials not found in native keychain'; exit 1; }
                 cat "$file" ;;
            store) text=$(cat); server=$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["ServerURL"])' "$text")
                 printf %s "$text" > "$(printf %s "$server" | sha256sum | cut -c1-20)" ;;
            erase) read -r server; rm "$(printf %s "$server" | sha256sum | cut -c1-20)" ;;
            *) exit 2 ;;
            esac
            """
        let name = "strata-test-\(UInt64.random(in: 0...UInt64.max))"
        let program = "/usr/local/bin/docker-credential-\(name)"
        try FileDescriptor.open(program, [.create, .exclusive, .writeOnly], mode: 0o755).writeAll(helper)
        defer { try? FileDescriptor.currentDirectory.unlink(program) }
        try shell(
            "mkdir kept docker; echo '{\"credHelpers\":{\"example.com\":\"\(name)\"}}' > docker/config.json",
            in: store.directory)
        let configuration = DockerConfiguration(directory: store.directory + "/docker")
        #expect(try configuration.credentials(for: "example.com") == nil)
        for credentials in [Credentials.password(user: "me", password: "p\"q"), .identityToken("token")] {
            #expect(try configuration.store(credentials, for: "example.com") == name)
            #expect(try configuration.credentials(for: "example.com") == credentials)
        }
        let file = try shell("cat docker/config.json", in: store.directory)
        #expect(!file.contains("token") && !file.contains("me"))
        #expect(try configuration.erase("example.com"))
        #expect(try configuration.credentials(for: "example.com") == nil)
        #expect(try configuration.credentials(for: "elsewhere.org") == nil)
        try shell("echo '{\"credsStore\":\"\(name)-missing\"}' > docker/config.json", in: store.directory)
        let error = #expect(throws: RegistryError.self) { try configuration.credentials(for: "x.org") }
        #expect(error?.code == .credentials)
    }

    @Test func challengesAreReadAsTheyAreWritten() {
        let (scheme, parameters) = AuthenticationChallenge.parse(
            #"Bearer realm="https://auth.example.com/token?a=b,c",service="x \"y\"", scope="repository:a/b:pull,push",error=invalid"#
        )
        #expect(scheme == "bearer")
        #expect(
            parameters == [
                "realm": "https://auth.example.com/token?a=b,c", "service": #"x "y""#,
                "scope": "repository:a/b:pull,push",
                "error": "invalid",
            ])
        #expect(AuthenticationChallenge.parse("Basic").parameters.isEmpty)
        #expect(AuthenticationChallenge.parse("").scheme.isEmpty)
    }

    @Test func proxiesAndTheirExceptions() throws {
        let settings = ProxySettings(
            http: "proxy:3128", https: "http://me:secret@proxy.example.com",
            exceptions: [
                "example.org", ".internal", "10.0.0.0/8", "host:8443", "192.168.1.1",
            ])
        func isDirect(_ host: String, _ port: Int = 443) throws -> Bool {
            try settings.proxy(scheme: "https", host: host, port: port) == nil
        }
        let proxy = try settings.proxy(scheme: "https", host: "registry.com", port: 443)
        #expect(proxy?.host == "proxy.example.com" && proxy?.port == 80 && proxy?.user == "me:secret")
        #expect(try settings.proxy(scheme: "http", host: "registry.com", port: 80)?.port == 3128)
        for host in ["example.org", "a.example.org", "x.internal", "10.2.3.4", "192.168.1.1", "localhost", "127.0.0.1"]
        {
            #expect(try isDirect(host), "\(host)")
        }
        for host in ["badexample.org", "11.0.0.1", "192.168.1.10", "host"] { #expect(try !isDirect(host), "\(host)") }
        #expect(try isDirect("host", 8443))
        #expect(throws: RegistryError.self) {
            try ProxySettings(https: "socks5://x").proxy(scheme: "https", host: "a.b", port: 443)
        }
    }
}
