import FoundationEssentials
import Glibc
public import Linux
import OCI

/// Docker's `config.json`: credentials of registries, in the file itself or with a credential helper.
///
/// What else the file says is kept when it is written.
public struct DockerConfiguration: Hashable, Sendable {
    /// The directory that `config.json` is in.
    public let directory: String

    /// The configuration in a directory.
    public init(directory: String) { self.directory = directory }

    /// The user's: `$DOCKER_CONFIG`, else `~/.docker`; nil where there is no home.
    public init?(environment: ProcessEnvironment) {
        let home = environment.nonEmpty("HOME").map { $0 + "/.docker" }
        guard let directory = environment.nonEmpty("DOCKER_CONFIG") ?? home else { return nil }
        self.directory = directory
    }

    /// The file.
    public var path: String { directory + "/config.json" }

    // MARK: Use

    /// The credentials for the registry of a domain; nil where there are none.
    public func credentials(for domain: String) throws(RegistryError) -> Credentials? {
        let address = RegistryAddress(domain: domain)
        let members = try read()
        if let helper = DockerConfiguration.helper(for: address, in: members) {
            return try helper.credentials(for: address.credentialKey)
        }
        guard case .object(let entries)? = members["auths"] else { return nil }
        for key in address.credentialKeys {
            guard case .object(let entry)? = entries[key] else { continue }
            if let found = try credentials(entry, for: domain) { return found }
        }
        return nil
    }

    /// Keeps credentials for a domain, in place of earlier ones, and returns where: a helper's name, or nil for the file.
    @discardableResult
    public func store(_ credentials: Credentials, for domain: String) throws(RegistryError) -> String? {
        let address = RegistryAddress(domain: domain)
        var members = try read()
        var entry: [String: JSONValue] = [:]
        let helper = DockerConfiguration.helper(for: address, in: members)
        if let helper {
            try helper.store(credentials, for: address.credentialKey)
        } else {
            switch credentials {
            case .password(let user, let password):
                entry["auth"] = .string(Data("\(user):\(password)".utf8).base64EncodedString())
            case .identityToken(let token): entry["identitytoken"] = .string(token)
            }
        }
        var entries: [String: JSONValue] = [:]
        if case .object(let known)? = members["auths"] { entries = known }
        for key in address.credentialKeys { entries[key] = nil }
        entries[address.credentialKey] = .object(entry)
        members["auths"] = .object(entries)
        try write(members)
        return helper?.name
    }

    /// Forgets the credentials for a domain; false where there were none.
    @discardableResult
    public func erase(_ domain: String) throws(RegistryError) -> Bool {
        let address = RegistryAddress(domain: domain)
        var members = try read()
        var found = false
        if let helper = DockerConfiguration.helper(for: address, in: members) {
            found = try helper.credentials(for: address.credentialKey) != nil
            if found { try helper.erase(address.credentialKey) }
        }
        guard case .object(var entries)? = members["auths"] else { return found }
        for key in address.credentialKeys where entries.removeValue(forKey: key) != nil { found = true }
        members["auths"] = .object(entries)
        if found { try write(members) }
        return found
    }

    // MARK: The file

    private func credentials(_ entry: [String: JSONValue], for domain: String) throws(RegistryError) -> Credentials? {
        func text(_ name: String) -> String? {
            guard case .string(let value)? = entry[name], !value.isEmpty else { return nil }
            return value
        }
        if let token = text("identitytoken") { return .identityToken(token) }
        if let encoded = text("auth") {
            guard let data = Data(base64Encoded: encoded),
                let colon = data.firstIndex(of: UInt8(ascii: ":"))
            else {
                throw RegistryError(
                    .credentials, "the credentials for \(domain) in \(path) are damaged",
                    remedy: "log in again with 'strata login \(domain)'")
            }
            var password = data[data.index(after: colon)...]
            while password.last == 0 { password.removeLast() }
            return .password(
                user: String(decoding: data[..<colon], as: UTF8.self),
                password: String(decoding: password, as: UTF8.self))
        }
        guard let user = text("username") else { return nil }
        return .password(user: user, password: text("password") ?? "")
    }

    private static func helper(for address: RegistryAddress, in members: [String: JSONValue]) -> CredentialHelper? {
        if case .object(let helpers)? = members["credHelpers"] {
            for key in address.credentialKeys {
                if case .string(let name)? = helpers[key], !name.isEmpty { return CredentialHelper(name: name) }
            }
        }
        guard case .string(let name)? = members["credsStore"], !name.isEmpty else { return nil }
        return CredentialHelper(name: name)
    }

    private func read() throws(RegistryError) -> [String: JSONValue] {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.open(path).readAll(limit: 16 << 20)
        } catch {
            if error == .ENOENT || error == .ENOTDIR { return [:] }
            throw RegistryError(.credentials, "cannot read \(path): \(error)")
        }
        if bytes.allSatisfy({ $0 == 0x20 || (0x09...0x0d).contains($0) }) { return [:] }
        do throws(OCIError) {
            return try JSON.decode([String: JSONValue].self, from: Data(bytes))
        } catch {
            throw RegistryError(.credentials, "cannot read \(path): it is no JSON object", remedy: "mend or remove it")
        }
    }

    /// The file itself, where `config.json` is a link, as people keep it who have such files elsewhere.
    private var target: String {
        var path = path
        for _ in 0..<16 {
            guard let link = try? FileDescriptor.currentDirectory.readLink(path) else { break }
            let next = String(decoding: link, as: UTF8.self)
            path = next.hasPrefix("/") ? next : DockerConfiguration.parent(of: path) + "/" + next
        }
        return path
    }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Replaces the file, readable for its owner only, so that nobody ever sees half of it.
    private func write(_ members: [String: JSONValue]) throws(RegistryError) {
        let text: String
        do throws(OCIError) {
            text = try JSON.encodePretty(members)
        } catch {
            throw RegistryError(.credentials, "cannot write \(path): \(error.message)")
        }
        do throws(Errno) {
            try FileDescriptor.currentDirectory.makeDirectoryIfMissing(directory, mode: 0o700)
            try FileDescriptor.currentDirectory.replaceFile(target, mode: 0o600) { (file) throws(Errno) in
                try file.writeAll(text + "\n")
            }
        } catch {
            throw RegistryError(.credentials, "cannot write \(path): \(error)")
        }
    }
}
