/// Arguments as Docker takes them (Go's `pflag`), turned into those of the parser.
///
/// * Short options may be grouped, and the last of a group takes the rest for its value, with or without an equals sign:
///   `-itd`, `-eA=1`, `-e=A=1`, `-ite A=1`.
/// * An option takes whatever comes next for its value, even if that begins with `-`.
/// * Flags have values: `--rm=true` becomes `--rm`, and `--rm=false` becomes `--no-rm` where there is such a flag, else
///   nothing.
///
/// What is no option of the command is remembered: the parser would report what else is missing first.
struct DockerArguments {
    /// The arguments in the parser's form.
    private(set) var resolved: [String] = []
    /// Whether help is asked for, in the place of an option.
    private(set) var wantsHelp = false

    /// The first option that the command does not have.
    private(set) var unknown: Unknown?

    /// An option that a command does not have.
    struct Unknown {
        /// `--frobnicate`, or `-x`.
        var name: String
        /// What stands on the command line, such as `-itx`.
        var argument: String
    }

    /// The options of the command.
    let options: CommandOptions

    /// - Parameter endsAtPositional: whether what follows the first argument that is no option is for somebody else.
    init(_ arguments: [String], options: CommandOptions, endsAtPositional: Bool) {
        self.options = options
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" || (endsAtPositional && !DockerArguments.isOption(argument)) {
                resolved += [argument] + rest
                break
            }
            if argument.hasPrefix("--") {
                takeLong(argument, &rest)
            } else if DockerArguments.isOption(argument) {
                takeShort(argument, &rest)
            } else {
                resolved.append(argument)
            }
        }
    }

    /// Whether a parser that refuses what it does not know takes arguments as they are, or refuses them: no groups, no values
    /// joined to letters, no values of flags, no bare hyphens, and no request for help. To know more, the command has to be
    /// asked for its options, which takes as long as a tenth of a start.
    static func arePlain(_ arguments: [String]) -> Bool {
        arguments.allSatisfy { argument in
            guard argument.hasPrefix("-") else { return true }
            guard argument.hasPrefix("--") else { return argument.count == 2 && argument != "-h" }
            guard let equals = argument.firstIndex(of: "=") else { return argument != "--help" && argument != "--" }
            return boolean(argument[argument.index(after: equals)...]) == nil
        }
    }

    /// Whether arguments, of which those from the first that is no option are for somebody else, begin with some of these flags
    /// and nothing besides.
    static func areOnly(_ flags: Set<String>, _ arguments: [String]) -> Bool {
        arguments.prefix { $0.hasPrefix("-") }.allSatisfy(flags.contains)
    }

    /// A single `-` is a positional argument: standard input or output.
    private static func isOption(_ argument: String) -> Bool { argument.hasPrefix("-") && argument != "-" }

    private mutating func takeLong(_ argument: String, _ rest: inout ArraySlice<String>) {
        if argument == "--help" { wantsHelp = true }
        guard let equals = argument.firstIndex(of: "=") else {
            check(argument, in: argument)
            return takeNext(argument, of: argument, &rest)
        }
        let name = String(argument[..<equals])
        check(name, in: argument)
        let value = argument[argument.index(after: equals)...]
        if options.isFlag(name), let isOn = DockerArguments.boolean(value) {
            set(name, isOn)
        } else {
            resolved.append(argument)
        }
    }

    private mutating func takeShort(_ argument: String, _ rest: inout ArraySlice<String>) {
        let letters = argument.dropFirst()
        for index in letters.indices {
            let name = "-\(letters[index])"
            let value = letters[letters.index(after: index)...]
            let flags = letters[..<index]
            if options.takesValue(name) {
                takeFlags(flags)
                if value.isEmpty { return takeNext(name, of: name, &rest) }
                let hasEquals = value.count > 1 && value.first == "="
                resolved += options.written(name, value: String(hasEquals ? value.dropFirst() : value))
                return
            }
            // Everybody's, unless the command means something else by it.
            if name == "-h", !options.has(name) {
                wantsHelp = true
                break
            }
            check(name, in: argument)
            guard options.isFlag(name) else { break }
            if value.first == "=", let isOn = DockerArguments.boolean(value.dropFirst()) {
                takeFlags(flags)
                return set(name, isOn)
            }
        }
        resolved.append(argument)
    }

    private mutating func check(_ name: String, in argument: String) {
        if unknown == nil, !options.has(name) { unknown = Unknown(name: name, argument: argument) }
    }

    private mutating func takeFlags(_ letters: Substring) {
        if !letters.isEmpty { resolved.append("-" + letters) }
    }

    /// An option whose value is the next argument, if it has one.
    private mutating func takeNext(_ argument: String, of name: String, _ rest: inout ArraySlice<String>) {
        guard options.takesValue(name), let value = rest.popFirst() else { return resolved.append(argument) }
        // The parser would take this one for an option.
        resolved += value.hasPrefix("-") ? options.written(name, value: value) : [argument, value]
    }

    private mutating func set(_ flag: String, _ isOn: Bool) {
        let opposite = "--no-" + flag.drop { $0 == "-" }
        if isOn { resolved.append(flag) } else if options.isFlag(opposite) { resolved.append(opposite) }
    }

    /// A value of a flag; nil for anything else. Go's `strconv.ParseBool` takes these spellings, some in fewer cases.
    private static func boolean(_ value: Substring) -> Bool? {
        switch value.lowercased() {
        case "true", "1", "t": true
        case "false", "0", "f": false
        default: nil
        }
    }
}
