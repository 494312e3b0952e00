package import Linux
package import Logging
import OCI
package import Registry

/// How a request may talk to registries.
package struct RegistryAccess: Hashable, Sendable {
    /// Whether servers must prove who they are; without, plain HTTP is tried too.
    package var verifiesServer = true
    /// What to log in with; nil for what the user has stored.
    package var credentials: Credentials?

    /// Verified servers and stored credentials.
    package init() {}
}

/// What a user has with registries, which needs no store: settings and credentials.
package struct Registries: Sendable {
    private let environment: ProcessEnvironment
    private let userAgent: String
    private let logger: Logger

    /// - Parameters:
    ///   - environment: where proxies, certificates and the place of the credentials are.
    ///   - userAgent: what requests say of the program.
    ///   - logger: takes the requests.
    package init(
        environment: ProcessEnvironment, userAgent: String,
        logger: Logger = Logger(label: "strata") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.logger = logger
        self.environment = environment
        self.userAgent = userAgent
    }

    /// The settings for talking to registries.
    func settings(_ access: RegistryAccess) -> RegistrySettings {
        var settings = RegistrySettings(environment: environment)
        settings.verifiesServer = access.verifiesServer
        settings.explicitCredentials = access.credentials
        settings.userAgent = userAgent
        settings.logger = logger
        return settings
    }

    /// The settings for downloads from the web, to which nobody logs in.
    var anonymous: RegistrySettings {
        var settings = settings(RegistryAccess())
        settings.credentials = nil
        return settings
    }

    /// Where the user's credentials are; `failed` where there is no home directory.
    private func keeper() throws(EngineError) -> DockerConfiguration {
        guard let found = DockerConfiguration(environment: environment) else {
            throw EngineError(.failed, "cannot keep credentials: there is no home directory", remedy: "set HOME")
        }
        return found
    }

    /// The credentials that are stored for the registry of a domain; nil where there are none.
    package func storedCredentials(for domain: String) throws -> Credentials? {
        try keeper().credentials(for: domain)
    }

    /// Asks a registry whether it takes credentials; `RegistryError.unauthorized` where it does not.
    package func check(_ credentials: Credentials, for domain: String, _ access: RegistryAccess) throws {
        var access = access
        access.credentials = credentials
        try RegistrySession.run(settings(access)) { try await $0.client(for: domain).logIn() }
    }

    /// Keeps credentials that the registry takes. Returns the path of the file where they are not encrypted; nil where a
    /// credential helper has them.
    package func logIn(_ credentials: Credentials, to domain: String, _ access: RegistryAccess) throws -> String? {
        let keeper = try keeper()
        try check(credentials, for: domain, access)
        return try keeper.store(credentials, for: domain) == nil ? keeper.path : nil
    }

    /// Forgets credentials. False where there were none.
    package func logOut(of domain: String) throws -> Bool {
        guard let keeper = DockerConfiguration(environment: environment), try keeper.credentials(for: domain) != nil
        else { return false }
        try keeper.erase(domain)
        return true
    }
}
