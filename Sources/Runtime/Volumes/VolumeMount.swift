public import OCI

/// A directory or file from outside that a container sees.
public struct VolumeMount: Hashable, Codable, Sendable {
    /// Where it comes from.
    public enum Source: Hashable, Codable, Sendable {
        /// A path of the host's.
        case host(String)
        /// A volume with a name of the user's.
        case named(String)
        /// A volume that belongs to the container and goes with it.
        case anonymous(String)

        /// The volume's name, nil for a path.
        public var volumeName: String? {
            switch self {
            case .host: nil
            case .named(let name), .anonymous(let name): name
            }
        }
    }

    public var source: Source
    /// Absolute in the container, normalised.
    public var destination: String
    public var readOnly: Bool

    /// Puts a mount together.
    public init(source: Source, destination: String, readOnly: Bool = false) {
        self.source = source
        self.destination = destination
        self.readOnly = readOnly
    }
}

extension VolumeMount {
    /// Parses a `-v` argument; `badOption` when it has no absolute target or an unknown mode.
    ///
    /// - Parameter makeName: gives an anonymous volume its name.
    public static func parse(_ text: String, makeName: () -> String) throws(RuntimeError) -> VolumeMount {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        func absolute(_ path: String) throws(RuntimeError) -> String {
            let normal = ContainerPath.normalized(path)
            guard path.hasPrefix("/"), normal != "/" else {
                throw RuntimeError(
                    .badOption, "invalid volume \"\(text)\": \"\(path)\" is not an absolute path below /")
            }
            return normal
        }
        switch parts.count {
        case 1:
            return VolumeMount(source: .anonymous(makeName()), destination: try absolute(parts[0]))
        case 2, 3:
            let modes = parts.count == 3 ? parts[2].split(separator: ",").map(String.init) : []
            let known: Set<String> = ["ro", "rw", "z", "Z", "rprivate", "private", "nocopy", "cached", "delegated"]
            if let unknown = modes.first(where: { !known.contains($0) }) {
                throw RuntimeError(.badOption, "invalid volume \"\(text)\": unknown mode \(unknown)")
            }
            let source: Source = parts[0].hasPrefix("/") ? .host(parts[0]) : .named(parts[0])
            if case .named(let name) = source { try check(volumeName: name, in: text) }
            return VolumeMount(
                source: source, destination: try absolute(parts[1]), readOnly: modes.contains("ro"))
        default:
            throw RuntimeError(.badOption, "invalid volume \"\(text)\"", remedy: "write it as SOURCE:TARGET[:ro]")
        }
    }

    private static func check(volumeName name: String, in text: String) throws(RuntimeError) {
        guard Volumes.isName(name) else {
            throw RuntimeError(
                .badOption, "invalid volume \"\(text)\": \"\(name)\" is neither a volume name nor an absolute path",
                remedy: "write a directory of the host's with its full path")
        }
    }
}

/// Paths inside a container.
public enum ContainerPath {
    /// The absolute path without empty names, dots and `..`, as `/a/b`; `..` at the root stays there.
    public static func normalized(_ path: String) -> String {
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == ".." {
                _ = names.popLast()
            } else {
                names.append(name)
            }
        }
        return "/" + names.joined(separator: "/")
    }
}
