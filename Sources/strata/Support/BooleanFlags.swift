/// Docker's flags take a value: `--rm=false`. The parser's do not, so `--x=true` becomes `--x` and `--x=false` `--no-x`
/// where there is such a flag, else nothing.
enum BooleanFlags {
    /// Flags that are on unless switched off.
    private static let onByDefault: Set<String> = ["--rm", "--pause", "--force-rm", "--tls-verify"]
    /// Options whose value is itself `true` or `false`.
    private static let valued: Set<String> = [
        "--pull", "--filter", "-f", "-e", "--env", "-l", "--label", "--build-arg",
    ]

    /// The arguments with such flags in the parser's form; those after `--` as they are.
    static func resolved(_ arguments: [String]) -> [String] {
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument == "--" { return result + arguments[index...] }
            guard argument.hasPrefix("-"), let equals = argument.firstIndex(of: "=") else {
                result.append(argument)
                continue
            }
            let name = String(argument[..<equals])
            switch argument[argument.index(after: equals)...].lowercased() {
            case "true", "1", "t": result.append(valued.contains(name) ? argument : name)
            case "false", "0", "f":
                if valued.contains(name) {
                    result.append(argument)
                } else if onByDefault.contains(name) {
                    result.append("--no-" + name.dropFirst(2))
                }
            default: result.append(argument)
            }
        }
        return result
    }

    /// How many arguments of a command that takes another's command line are its own options and their values.
    static func optionCount(_ arguments: [String]) -> Int {
        var index = 0
        while index < arguments.count, arguments[index].hasPrefix("-"), arguments[index] != "--" {
            index += takesNext(arguments[index]) ? 2 : 1
        }
        return min(index, arguments.count)
    }

    /// Whether an option's value is the next argument.
    private static func takesNext(_ option: String) -> Bool {
        if option.contains("=") || RunOptions.flags.contains(option) { return false }
        if option.hasPrefix("--") { return true }
        // Of combined short ones only the last can have its value apart; one before it has the rest for its value.
        let letters = option.dropFirst()
        guard let valued = letters.firstIndex(where: { !RunOptions.shortFlags.contains($0) }) else { return false }
        return letters.index(after: valued) == letters.endIndex
    }
}
