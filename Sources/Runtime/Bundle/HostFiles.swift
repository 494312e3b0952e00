import Linux

/// The files that a container sees in `/etc` in place of its image's: they are kept in the container's directory and
/// bind-mounted.
enum HostFiles {
    /// The name of a file in `/etc`, and what it says.
    struct File {
        var name: String
        var text: String
    }

    /// The files' names in `/etc`.
    static let names = ["resolv.conf", "hosts", "hostname"]

    /// The resolver's configuration is the host's, loopback addresses included: the network is the host's too.
    static func files(hostname: String, adding hosts: [Isolation.Host] = []) -> [File] {
        let added = hosts.map { "\($0.address)\t\($0.name)\n" }.joined()
        return [
            File(name: "resolv.conf", text: text(of: "/etc/resolv.conf")),
            File(name: "hosts", text: Self.hosts(host: text(of: "/etc/hosts"), hostname: hostname) + added),
            File(name: "hostname", text: hostname + "\n"),
        ]
    }

    /// The host's names, with what every container needs where it is missing.
    static func hosts(host: String, hostname: String) -> String {
        var names: Set<Substring> = []
        for line in host.split(separator: "\n") {
            let entry = line.prefix { $0 != "#" }
            names.formUnion(entry.split { $0 == " " || $0 == "\t" }.dropFirst())
        }
        var text = ""
        if !names.contains("localhost") {
            text += "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        }
        text += host
        if !text.isEmpty && !text.hasSuffix("\n") { text += "\n" }
        if !names.contains(Substring(hostname)) { text += "127.0.1.1\t\(hostname)\n" }
        return text
    }

    private static func text(of path: String) -> String {
        guard let file = try? FileDescriptor.open(path, .nonBlocking), let bytes = try? file.readAll(limit: 1 << 20)
        else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes the files into a directory and returns the mounts that put them into `/etc`. Throws `badOption` for a name
    /// that would be more than one: it may be an image's.
    static func write(
        into directory: String, hostname: String, adding hosts: [Isolation.Host] = [], readOnly: Bool = false
    ) throws(RuntimeError) -> [RuntimeSpecification.Mount] {
        try HostName.check(hostname)
        for host in hosts { try HostName.check(host) }
        var mounts: [RuntimeSpecification.Mount] = []
        for file in files(hostname: hostname, adding: hosts) {
            let path = "\(directory)/\(file.name)"
            try attempting("write \(path)") { () throws(Errno) in
                let target = try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
                try target.setMode(0o644)
                try target.writeAll(file.text)
            }
            mounts.append(.bind(path, at: "/etc/\(file.name)", readOnly: readOnly))
        }
        return mounts
    }
}
