import ArgumentParser
import Distribution
import Linux
import OCI
import Registry
import Rendering

/// `strata login`
struct Login: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Keep the credentials for a registry.",
        discussion: """
            They are checked first, and then kept where Docker keeps them: with the credential helper that \
            ~/.docker/config.json names, else in that file.

            EXAMPLE: strata login -u me --password-stdin registry.example.com < password
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var registry: RegistryOptions

    @Option(name: .shortAndLong, help: "The user.")
    var username: String?

    @Option(name: .shortAndLong, help: "The password; others can see it in the list of processes.")
    var password: String?

    @Flag(help: "Read the password from standard input.")
    var passwordStdin = false

    @Argument(help: ArgumentHelp("The registry (default: Docker Hub).", valueName: "server"))
    var server: String?

    func run() throws {
        let domain = try RegistryName.domain(server)
        guard let configuration = DockerConfiguration.standard else {
            throw CommandError(.failed, "cannot keep credentials: there is no home directory", remedy: "set HOME")
        }
        if try logInAgain(domain, configuration) { return try Console.print("Login Succeeded") }
        let credentials = try ask(domain)
        try check(credentials, domain)
        let helper = try configuration.store(credentials, for: domain)
        if helper == nil {
            Console.remark(
                """
                WARNING! Your credentials are stored unencrypted in '\(configuration.path)'.
                Configure a credential helper to remove this warning. See
                https://docs.docker.com/go/credential-store/

                """)
        }
        try Console.print("Login Succeeded")
    }

    /// Docker's rule: without a user and a password, those that are kept are tried first.
    private func logInAgain(_ domain: String, _ configuration: DockerConfiguration) throws -> Bool {
        guard username == nil, password == nil, !passwordStdin,
            let known = try configuration.credentials(for: domain)
        else { return false }
        Console.remark("Authenticating with existing credentials...\n")
        do {
            try check(known, domain)
            return true
        } catch let error as RegistryError {
            guard error.code == .unauthorized, BorrowedDescriptor.standardInput.isTerminal else { throw error }
            Console.remark(line: "Login did not succeed, error: \(error.message)")
            return false
        }
    }

    private func check(_ credentials: Credentials, _ domain: String) throws {
        var settings = registry.settings
        settings.explicitCredentials = credentials
        try RegistrySession.run(settings) { try await $0.client(for: domain).logIn() }
    }

    // MARK: Asking

    private func ask(_ domain: String) throws -> Credentials {
        if password != nil, passwordStdin {
            throw CommandError(.usage, "--password and --password-stdin are mutually exclusive")
        }
        if passwordStdin {
            guard let username, !username.isEmpty else {
                throw CommandError(.usage, "must provide --username with --password-stdin")
            }
            let text = String(decoding: try Console.readInput(limit: 1 << 20), as: UTF8.self)
            let secret = String(text.prefix { !$0.isNewline })
            if secret.isEmpty { throw CommandError(.usage, "there is no password on standard input") }
            return .password(user: username, password: secret)
        }
        if password != nil {
            Console.remark("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
        }
        if username == nil || password == nil, !BorrowedDescriptor.standardInput.isTerminal {
            throw CommandError(
                .usage, "cannot ask for the user and the password: standard input is no terminal",
                remedy: "use --username and --password-stdin")
        }
        let user = try username ?? Prompt.line("Username: ")
        let secret = try password ?? Prompt.secret("Password: ")
        if user.isEmpty || secret.isEmpty { throw CommandError(.usage, "a user and a password are needed") }
        return .password(user: user, password: secret)
    }
}

/// `strata logout`
struct Logout: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the credentials for a registry.",
        discussion: "EXAMPLE: strata logout registry.example.com")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The registry (default: Docker Hub).", valueName: "server"))
    var server: String?

    func run() throws {
        let domain = try RegistryName.domain(server)
        let shown = domain == RegistryName.standard ? "https://index.docker.io/v1/" : domain
        guard let configuration = DockerConfiguration.standard, try configuration.credentials(for: domain) != nil else {
            return try Console.print("Not logged in to \(shown)")
        }
        try Console.print("Removing login credentials for \(shown)")
        try configuration.erase(domain)
    }
}

/// Names of registries as users give them.
enum RegistryName {
    static let standard = "docker.io"

    /// The domain of image names that is meant, perhaps by an address.
    static func domain(_ text: String?) throws(CommandError) -> String {
        guard let text, !text.isEmpty else { return standard }
        var rest = Substring(text)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let host = String(rest.prefix { $0 != "/" })
        if ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(host) { return standard }
        // A host alone, such as `localhost`, is a registry here.
        guard (try? Reference(parsing: "\(host)/x"))?.path == "x" || !host.contains("/"), !host.isEmpty else {
            throw CommandError(.usage, "\"\(text)\" is no registry")
        }
        return host
    }
}
