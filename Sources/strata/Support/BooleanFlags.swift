import ArgumentParser
import FoundationEssentials
import OCI

/// Docker's flags take a value: `--rm=false`. The parser's do not, so `--x=true` becomes `--x` and `--x=false` `--no-x`
/// where there is such a flag, else nothing. Options that are no flags keep whatever value they have: `--user=0`.
enum BooleanFlags {
    /// The arguments with a command's flags in the parser's form; those after `--` as they are.
    static func resolved(_ arguments: [String], of command: any ParsableCommand.Type) -> [String] {
        guard arguments.contains(where: { parse($0) != nil }) else { return arguments }
        let flags = names(of: command)
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument == "--" { return result + arguments[index...] }
            guard let (name, value) = parse(argument), flags.contains(name) else {
                result.append(argument)
                continue
            }
            let opposite = "--no-" + name.drop { $0 == "-" }
            if value { result.append(name) } else if flags.contains(opposite) { result.append(opposite) }
        }
        return result
    }

    /// What may be a flag with a value; nil for anything else. Go's `strconv.ParseBool` takes the same spellings.
    private static func parse(_ argument: String) -> (name: String, value: Bool)? {
        guard argument.hasPrefix("-"), let equals = argument.firstIndex(of: "=") else { return nil }
        switch argument[argument.index(after: equals)...].lowercased() {
        case "true", "1", "t": return (String(argument[..<equals]), true)
        case "false", "0", "f": return (String(argument[..<equals]), false)
        default: return nil
        }
    }

    /// What the parser tells of a command.
    private struct Outline: Decodable {
        struct Command: Decodable { var arguments: [Argument]? }
        struct Argument: Decodable {
            var kind: String
            var names: [Name]?
        }
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var command: Command
    }

    /// The flags of a command as they are written: `--quiet`, `-q`.
    private static func names(of command: any ParsableCommand.Type) -> Set<String> {
        guard let outline = try? JSON.decode(Outline.self, from: Data(command._dumpHelp().utf8)) else { return [] }
        let flags = (outline.command.arguments ?? []).filter { $0.kind == "flag" }
        return Set(flags.flatMap { $0.names ?? [] }.map { ($0.kind == "short" ? "-" : "--") + $0.name })
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
