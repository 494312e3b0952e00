/// The character that continues a line and takes the meaning from a `$` or a quote.
public enum EscapeCharacter: String, Sendable, Hashable {
    /// `\`, unless a directive says otherwise.
    case backslash = "\\"
    /// A grave accent, for paths of Windows.
    case backtick = "`"

    var byte: UInt8 { self == .backslash ? ASCII.backslash : UInt8(ascii: "`") }
}

/// The parser directives: `# name=value` lines at the very top of the file.
public struct Directives: Sendable, Hashable {
    /// `syntax=`: the front end that the author had in mind. Recorded; there is only one here.
    public internal(set) var syntax: String?
    /// `escape=`.
    public internal(set) var escape = EscapeCharacter.backslash
    /// `check=`: which checks to leave out, and whether a remark is an error.
    public internal(set) var check: String?
    /// What `check=` says.
    public internal(set) var lint = LintOptions()

    init() {}

    /// Reads the directives; returns them with the index of the first line that is none.
    ///
    /// Throws `invalidDirective` for one that is given twice and for an escape character that cannot be.
    static func read(_ source: SourceText) throws(DockerfileError) -> (directives: Directives, firstLine: Int) {
        var directives = Directives()
        var seen: Set<String> = []
        for (number, line) in source.lines.enumerated() {
            guard let (name, value, byte) = split(line), ["syntax", "escape", "check"].contains(name) else {
                return (directives, number)
            }
            func fault(_ message: String) -> DockerfileError {
                source.locate(DockerfileError(.invalidDirective, message), line: number, byte: byte)
            }
            guard seen.insert(name).inserted else { throw fault("the parser directive \"\(name)\" is given twice") }
            switch name {
            case "syntax": directives.syntax = value
            case "check":
                directives.check = value
                do throws(DockerfileError) {
                    directives.lint = try LintOptions(parsing: value)
                } catch {
                    throw source.locate(error, line: number, byte: byte)
                }
            default:
                guard let escape = EscapeCharacter(rawValue: value) else {
                    throw fault("the escape character cannot be \"\(value)\", only \\ or `")
                }
                directives.escape = escape
            }
        }
        return (directives, source.lines.count)
    }

    /// Name in lower case, value, and where the name starts; nil if the line is no `# name=value`.
    private static func split(_ line: [UInt8]) -> (name: String, value: String, byte: Int)? {
        let rest = line.drop(while: ASCII.isBlank)
        guard rest.first == ASCII.hash else { return nil }
        let assignment = rest.dropFirst().drop(while: ASCII.isBlank)
        return self.assignment(assignment).map { ($0.name, $0.value, assignment.startIndex) }
    }

    /// Name in lower case and value of `name=value`; nil if the text is none.
    static func assignment(_ text: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let equals = text.firstIndex(of: ASCII.equals) else { return nil }
        let name = text[..<equals].trimmed
        let value = text[(equals + 1)...].trimmed
        guard !name.isEmpty, name.allSatisfy(ASCII.isName), !value.isEmpty else { return nil }
        return (name.text.asciiLowercased, value.text)
    }
}
