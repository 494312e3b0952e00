import Linux
public import Runtime

/// Where the value of a secret is taken from, when a command asks for it.
public enum BuildSecret: Hashable, Sendable {
    /// A file of the host's.
    case file(String)
    /// A variable of this process's environment.
    case environment(String)

    /// As large as a secret may be, in bytes; BuildKit's limit.
    static let limit = 500 << 10

    /// Reads the value of `--secret`, `[type=file|env,]id=ID[,src=PATH|NAME][,env=NAME]`, as buildx does: without a
    /// source, the variable of that name counts, else the file.
    ///
    /// - Throws: `badOption` for a field that does not exist, a missing id, or a file that cannot be read.
    public static func parse(
        _ text: String, environment: (String) -> String?
    ) throws(BuildError) -> (id: String, secret: BuildSecret) {
        var (id, source, variable) = ("", "", "")
        var type: String?
        for field in text.split(separator: ",").map(String.init) {
            let parts = field.parts(at: "=")
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0].lowercased() {
            case _ where parts.count == 1:
                throw BuildError(.badOption, "invalid secret \"\(text)\": \"\(field)\" is no key=value pair")
            case "type" where value == "file" || value == "env": type = value
            case "type": throw BuildError(.badOption, "invalid secret \"\(text)\": there is no type \"\(value)\"")
            case "id": id = value
            case "src", "source": source = value
            case "env": variable = value
            default: throw BuildError(.badOption, "invalid secret \"\(text)\": there is no field \"\(parts[0])\"")
            }
        }
        if id.isEmpty {
            throw BuildError(.badOption, "invalid secret \"\(text)\": it has no id", remedy: "write id=NAME")
        }
        if type == "env", variable.isEmpty { (variable, source) = (source.isEmpty ? id : source, "") }
        if !variable.isEmpty { return (id, .environment(variable)) }
        if source.isEmpty, type == nil, environment(id) != nil { return (id, .environment(id)) }
        let file = source.isEmpty ? id : source
        do throws(Errno) {
            let status = try FileDescriptor.currentDirectory.status(of: file, followSymlinks: true)
            if status.isDirectory { throw .EISDIR }
            if status.size > limit { throw .EFBIG }
        } catch {
            throw BuildError(
                .badOption, "cannot use \(file) as the secret \(id): \(error)",
                remedy: error == .EFBIG ? "a secret has at most 500 KiB" : nil)
        }
        return (id, .file(file))
    }

    /// The value; nil where the variable is not set.
    func value(environment: (String) -> String?) throws(BuildError) -> [UInt8]? {
        switch self {
        case .environment(let name): return environment(name).map { Array($0.utf8) }
        case .file(let path):
            let bytes = try attempting("read the secret \(path)") { () throws(Errno) in
                try FileDescriptor.open(path).readAll(limit: Self.limit + 1)
            }
            if bytes.count > Self.limit {
                throw BuildError(.badOption, "the secret \(path) is too large", remedy: "a secret has at most 500 KiB")
            }
            return bytes
        }
    }
}

/// What a Dockerfile may ask for only if the caller of the build allows it (`--allow`).
public enum BuildEntitlement: String, Hashable, Sendable, CaseIterable {
    /// `RUN --security=insecure`.
    case insecure = "security.insecure"
    /// `RUN --network=host`, which needs no permission here: builds have the host's network anyway.
    case network = "network.host"
}

extension Isolation.Host {
    /// Reads `NAME:ADDRESS` or `NAME=ADDRESS`; an IPv6 address may be in brackets. `host-gateway` is the loopback,
    /// because commands have the host's network. Nil for anything else.
    public static func parse(_ text: String) -> Isolation.Host? {
        guard let index = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
        var address = String(text[text.index(after: index)...])
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
        if address == "host-gateway" { address = "127.0.0.1" }
        let name = String(text[..<index])
        let isAddress = address.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == "." || $0 == ":" || $0 == "%") }
        guard HostName.isValid(name), isAddress, address.contains(".") || address.contains(":") else { return nil }
        return Isolation.Host(name: name, address: address)
    }
}

extension RuntimeSpecification.Limit {
    private static let names: Set<String> = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]

    /// Reads `NAME=SOFT[:HARD]`, as `nofile=1024:2048`; -1 is no limit. Nil for anything else.
    public static func parse(_ text: String) -> RuntimeSpecification.Limit? {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, names.contains(parts[0]) else { return nil }
        let values = parts[1].split(separator: ":", omittingEmptySubsequences: false).map { value in
            value == "-1" ? UInt64.max : UInt64(value)
        }
        guard values.count <= 2, let soft = values.first ?? nil, let hard = values.last ?? nil, soft <= hard else {
            return nil
        }
        return RuntimeSpecification.Limit(type: "RLIMIT_" + parts[0].uppercased(), soft: soft, hard: hard)
    }
}
