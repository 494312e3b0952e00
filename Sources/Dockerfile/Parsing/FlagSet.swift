/// The flags of one instruction, taken out one by one by whoever knows them. What is left is unknown.
struct FlagSet {
    private var flags: [Flag]
    /// The names that were asked for, for suggestions.
    private(set) var asked: [String] = []
    /// Where the flag is that an error was thrown about.
    private(set) var faultOffset: Int?

    init(_ flags: [Flag]) {
        self.flags = flags
    }

    /// A flag that nobody has asked for.
    var unused: Flag? { flags.first }

    /// All flags of one name, for those that may be repeated. Each has a value.
    mutating func all(_ name: String) throws(DockerfileError) -> [(value: String, flag: Flag)] {
        asked.append(name)
        let found = flags.filter { $0.name == name }
        flags.removeAll { $0.name == name }
        var values: [(value: String, flag: Flag)] = []
        for flag in found {
            guard let value = flag.value, !value.isEmpty else {
                throw fault(flag, "the flag --\(name) has no value", remedy: "write --\(name)=VALUE")
            }
            values.append((value, flag))
        }
        return values
    }

    /// The value of a flag that may be given once.
    mutating func value(_ name: String) throws(DockerfileError) -> String? {
        let values = try all(name)
        if values.count > 1 { throw fault(values[1].flag, "the flag --\(name) is given twice") }
        return values.first?.value
    }

    /// A flag that is on or off; nil if not given.
    mutating func boolean(_ name: String) throws(DockerfileError) -> Bool? {
        asked.append(name)
        let found = flags.filter { $0.name == name }
        flags.removeAll { $0.name == name }
        guard let flag = found.first else { return nil }
        if found.count > 1 { throw fault(found[1], "the flag --\(name) is given twice") }
        switch flag.value?.asciiLowercased {
        case nil, "", "true": return true
        case "false": return false
        default: throw fault(flag, "the flag --\(name) is true or false, not \"\(flag.value ?? "")\"")
        }
    }

    /// The value of a flag, turned into something else.
    /// - Parameter what: the values that can be, for the message.
    mutating func parsed<Value>(
        _ name: String, as what: String, _ parse: (String) -> Value?
    ) throws(DockerfileError) -> Value? {
        let flag = flags.first { $0.name == name }
        guard let text = try value(name), let flag else { return nil }
        guard let result = parse(text) else {
            throw fault(flag, "the value \"\(text)\" of --\(name) is not \(what)")
        }
        return result
    }

    /// An error about a flag.
    mutating func fault(_ flag: Flag, _ message: String, remedy: String? = nil) -> DockerfileError {
        faultOffset = flag.offset
        return DockerfileError(.invalidFlag, message, remedy: remedy)
    }
}
