import ArgumentParser
import Engine
import Linux
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
        if try logInAgain(domain) { return try Console.print("Login Succeeded") }
        let path = try Registries.ofUser.logIn(try ask(domain), to: domain, registry.access)
        if let path {
            Console.remark(
                """
                WARNING! Your credentials are stored unencrypted in '\(path)'.
                Configure a credential helper to remove this warning. See
                https://docs.docker.com/go/credential-store/

                """)
        }
        try Console.print("Login Succeeded")
    }

    /// Docker's rule: without a user and a password, those that are kept are tried first.
    private func logInAgain(_ domain: String) throws -> Bool {
        guard username == nil, password == nil, !passwordStdin,
            let known = try Registries.ofUser.storedCredentials(for: domain)
        else { return false }
        Console.remark("Authenticating with existing credentials...\n")
        do {
            try Registries.ofUser.check(known, for: domain, registry.access)
            return true
        } catch let error as RegistryError {
            guard error.code == .unauthorized, BorrowedDescriptor.standardInput.isTerminal else { throw error }
            Console.remark(line: "Login did not succeed, error: \(error.message)")
            return false
        }
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
        guard try Registries.ofUser.logOut(of: domain) else { return try Console.print("Not logged in to \(shown)") }
        try Console.print("Removing login credentials for \(shown)")
    }
}

extension Registries {
    /// What our user has with registries.
    fileprivate static let ofUser = Registries(environment: Environment.current, userAgent: Version.userAgent)
}
