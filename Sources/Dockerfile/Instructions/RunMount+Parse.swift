extension RunMount {
    /// Reads the value of `--mount=`: fields `name=value` or `name`, separated by commas; a field in double quotes may
    /// contain commas.
    ///
    /// Throws `invalidFlag`, without a place.
    static func parse(_ text: String) throws(DockerfileError) -> RunMount {
        var mount = RunMount()
        for field in fields(text) {
            let name = field.utf8.prefix { $0 != ASCII.equals }
            let hasValue = name.endIndex < field.utf8.endIndex
            let value = hasValue ? field.utf8[name.endIndex...].dropFirst().text : nil
            try mount.set(name.text.asciiLowercased, value, field: field)
        }
        switch mount.kind {
        case .bind, .cache, .tmpfs:
            guard mount.target != nil else {
                throw DockerfileError(.invalidFlag, "--mount of type \(mount.kind.rawValue) requires a target")
            }
        case .secret, .ssh: break
        }
        return mount
    }

    /// Cut at commas, apart from those in double quotes; the quotes are gone already if they were the flag's own.
    private static func fields(_ text: String) -> [String] {
        var fields: [[UInt8]] = [[]]
        var quoted = false
        for byte in text.utf8 {
            if byte == ASCII.quote {
                quoted.toggle()
            } else if byte == ASCII.comma, !quoted {
                fields.append([])
            } else {
                fields[fields.count - 1].append(byte)
            }
        }
        return fields.map(\.text)
    }

    private mutating func set(_ name: String, _ value: String?, field: String) throws(DockerfileError) {
        switch name {
        case "readonly", "ro": isReadOnly = try boolean(value, field)
        case "readwrite", "rw": isReadOnly = try !boolean(value, field)
        case "required": isRequired = try boolean(value, field)
        case "type": kind = try parsed(value, field, Kind.init(rawValue:))
        case "sharing": sharing = try parsed(value, field, Sharing.init(rawValue:))
        case "target", "dst", "destination": target = try parsed(value, field) { $0 }
        case "source", "src": source = try parsed(value, field) { $0 }
        case "from": from = try parsed(value, field) { $0 }
        case "id": id = try parsed(value, field) { $0 }
        case "env": environmentName = try parsed(value, field) { $0 }
        case "size": size = try parsed(value, field, RunMount.bytes)
        case "mode": mode = try parsed(value, field) { UInt32($0, radix: 8).flatMap { $0 <= 0o7777 ? $0 : nil } }
        case "uid": userID = try parsed(value, field) { UInt32($0) }
        case "gid": groupID = try parsed(value, field) { UInt32($0) }
        default:
            let known = ["type", "target", "source", "from", "id", "sharing", "size", "mode", "uid", "gid", "required"]
            throw DockerfileError(
                .invalidFlag, "--mount has no field \(name.shown)",
                remedy: Suggestion.nearest(to: name, in: known).map { "did you mean \($0)?" })
        }
    }

    private func boolean(_ value: String?, _ field: String) throws(DockerfileError) -> Bool {
        switch value?.asciiLowercased {
        case nil, "true", "1": return true
        case "false", "0": return false
        default: throw DockerfileError(.invalidFlag, "the field \"\(field)\" of --mount is true or false")
        }
    }

    private func parsed<Value>(
        _ value: String?, _ field: String, _ parse: (String) -> Value?
    ) throws(DockerfileError) -> Value {
        guard let value, !value.isEmpty, let result = parse(value) else {
            throw DockerfileError(.invalidFlag, "the field \"\(field)\" of --mount has no value that it can take")
        }
        return result
    }

    /// A size such as `64m`: binary units, as in Docker.
    private static func bytes(_ text: String) -> Int64? {
        let digits = text.utf8.prefix(while: ASCII.isDigit)
        guard let number = Int64(digits.text) else { return nil }
        var unit = text.utf8[digits.endIndex...].text.asciiLowercased
        if unit.hasSuffix("b") { unit.removeLast() }
        if unit.hasSuffix("i") { unit.removeLast() }
        guard let power = ["": 0, "k": 10, "m": 20, "g": 30, "t": 40][unit] else { return nil }
        let (result, overflow) = number.multipliedReportingOverflow(by: Int64(1) << Int64(power))
        return overflow ? nil : result
    }
}
