import OCI

/// Names of registries as users give them.
package enum RegistryName {
    /// Docker Hub.
    package static let standard = "docker.io"

    /// The domain of image names that is meant, perhaps by an address; Docker Hub's where nothing is.
    package static func domain(_ text: String?) throws(EngineError) -> String {
        guard let text, !text.isEmpty else { return standard }
        var rest = Substring(text)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let host = String(rest.prefix { $0 != "/" })
        if ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(host) { return standard }
        // A host alone, such as `localhost`, is a registry here.
        guard (try? Reference(parsing: "\(host)/x"))?.path == "x" || !host.contains("/"), !host.isEmpty else {
            throw EngineError(.badRequest, "\"\(text)\" is no registry")
        }
        return host
    }
}
