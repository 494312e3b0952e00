import ArgumentParser
import FoundationEssentials
import OCI

/// The options of one command, as its parser tells them.
struct CommandOptions {
    /// One option, under each of its names.
    private struct Option {
        var isFlag: Bool
        /// `--name`; nil where there are short names only.
        var long: String?
    }

    /// By their names as they are written: `--quiet`, `-q`.
    private let options: [String: Option]

    /// Asks the parser of a command.
    init(of command: any ParsableCommand.Type) {
        let outline = try? JSON.decode(Outline.self, from: Data(command._dumpHelp().utf8))
        var options: [String: Option] = [:]
        for argument in outline?.command.arguments ?? [] where argument.kind != "positional" {
            let names = argument.names ?? []
            for name in names {
                // The two forms of a flag with an inversion are one argument of the parser.
                let long = name.kind == "short" ? names.first { $0.kind != "short" }?.written : name.written
                options[name.written] = Option(isFlag: argument.kind == "flag", long: long)
            }
        }
        self.options = options
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
            var written: String { (kind == "short" ? "-" : "--") + name }
        }
        var command: Command
    }

    /// Whether an argument is an option of the command, or one that the parser has for each.
    func has(_ name: String) -> Bool { options[name] != nil || CommandOptions.providedByParser.contains(name) }

    private static let providedByParser: Set<String> = [
        "--help", "--help-hidden", "--version", "--experimental-dump-help", "--generate-completion-script",
    ]

    /// The option that may have been meant by a long one that there is not.
    func nearest(to name: String) -> String? {
        let near = options.keys.filter { $0.hasPrefix("--") }.sorted().map { ($0, EditDistance.between($0, name)) }
        return near.min { $0.1 < $1.1 }.flatMap { $0.1 <= 2 ? $0.0 : nil }
    }

    /// The names of one letter.
    var shortNames: [String] { options.keys.filter { $0.count == 2 }.sorted() }

    /// Whether an argument is a flag of the command.
    func isFlag(_ name: String) -> Bool { options[name]?.isFlag == true }

    /// Whether an argument is an option that has a value.
    func takesValue(_ name: String) -> Bool { options[name]?.isFlag == false }

    /// An option with its value as arguments of the parser, which takes any value behind an equals sign.
    func written(_ name: String, value: String) -> [String] {
        options[name]?.long.map { ["\($0)=\(value)"] } ?? [name, value]
    }
}
