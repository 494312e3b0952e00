import FoundationEssentials
import Linux
import OCI

/// A program `docker-credential-<name>` that keeps credentials; docker-credential-helpers, "Development".
struct CredentialHelper: Hashable, Sendable {
    let name: String

    /// What a helper calls a user whose secret is an identity token.
    private static let tokenUser = "<token>"

    private struct Answer: Codable {
        var username: String
        var secret: String

        enum CodingKeys: String, CodingKey {
            case username = "Username"
            case secret = "Secret"
        }
    }

    private struct Entry: Codable {
        var server: String
        var username: String
        var secret: String

        enum CodingKeys: String, CodingKey {
            case server = "ServerURL"
            case username = "Username"
            case secret = "Secret"
        }
    }

    /// What the helper has for a server; nil where it has nothing.
    func credentials(for server: String) throws(RegistryError) -> Credentials? {
        let (output, status) = try run("get", input: server)
        if status != 0 {
            // The one message that the protocol fixes.
            if output.contains("credentials not found") { return nil }
            throw failed("get", output, status)
        }
        let answer: Answer
        do throws(OCIError) {
            answer = try JSON.decode(Answer.self, from: Data(output.utf8))
        } catch {
            throw RegistryError(.credentials, "\(program) answered something that cannot be read")
        }
        if answer.username == CredentialHelper.tokenUser { return .identityToken(answer.secret) }
        return .password(user: answer.username, password: answer.secret)
    }

    func store(_ credentials: Credentials, for server: String) throws(RegistryError) {
        let entry =
            switch credentials {
            case .password(let user, let password): Entry(server: server, username: user, secret: password)
            case .identityToken(let token):
                Entry(server: server, username: CredentialHelper.tokenUser, secret: token)
            }
        let text: String
        do throws(OCIError) {
            text = String(decoding: try JSON.encode(entry), as: UTF8.self)
        } catch {
            throw RegistryError(.credentials, error.message)
        }
        let (output, status) = try run("store", input: text)
        if status != 0 { throw failed("store", output, status) }
    }

    func erase(_ server: String) throws(RegistryError) {
        let (output, status) = try run("erase", input: server)
        if status != 0 { throw failed("erase", output, status) }
    }

    private var program: String { "docker-credential-\(name)" }

    private func failed(_ verb: String, _ output: String, _ status: Int32) -> RegistryError {
        let reason = output.split(whereSeparator: \.isNewline).first.map(String.init) ?? "exit status \(status)"
        return RegistryError(.credentials, "'\(program) \(verb)' failed: \(reason)")
    }

    private func run(_ verb: String, input: String) throws(RegistryError) -> (output: String, status: Int32) {
        guard !name.contains("/") else {
            throw RegistryError(.credentials, "the credential helper \"\(name)\" is not a name")
        }
        do throws(Errno) {
            let toChild = try FileDescriptor.pipe()
            let fromChild = try FileDescriptor.pipe()
            let child = try ChildProcess.spawn(
                program, arguments: [program, verb],
                descriptors: [toChild.read.rawValue, fromChild.write.rawValue, 2])
            let output = fromChild.keepRead()
            // A pipe takes more than a line at once, so the child cannot wait for us while we wait for it.
            do throws(Errno) {
                try toChild.keepWrite().writeAll(input + "\n")
            } catch {
                if error != .EPIPE { throw error }
            }
            let bytes = try output.readAll(limit: 1 << 20)
            return (String(decoding: bytes, as: UTF8.self), try child.wait().shellStatus)
        } catch {
            let remedy = error == .ENOENT ? "install it, or change credsStore and credHelpers in config.json" : nil
            throw RegistryError(.credentials, "cannot run \(program): \(error)", remedy: remedy)
        }
    }
}
