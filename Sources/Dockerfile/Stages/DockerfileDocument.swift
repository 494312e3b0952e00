/// A parsed Dockerfile. Parsing reads no file and knows no variable's value; `resolve(arguments:)` does the rest that
/// can be done before the build.
public struct DockerfileDocument: Sendable, Hashable {
    /// The name of the file, as it appears in errors.
    public var file: String
    /// The parser directives.
    public var directives: Directives
    /// The `ARG`s in front of the first `FROM`, in order.
    public var globalArguments: [Instruction]
    /// The stages in order, at least one.
    public var stages: [Stage]

    init(file: String, directives: Directives, globalArguments: [Instruction], stages: [Stage]) {
        self.file = file
        self.directives = directives
        self.globalArguments = globalArguments
        self.stages = stages
    }

    /// Parses the text of a Dockerfile.
    /// - Parameters:
    ///   - text: the text; line ends may be LF or CR LF.
    ///   - file: the name to use in errors.
    ///
    /// Throws an error with the place of the first fault.
    public init(parsing text: String, file: String = "Dockerfile") throws(DockerfileError) {
        try self.init(parsing: Array(text.utf8), file: file)
    }

    /// Parses the content of a Dockerfile.
    ///
    /// Throws as the other does, and `notText` if the content is not UTF-8.
    public init(parsing bytes: [UInt8], file: String = "Dockerfile") throws(DockerfileError) {
        var parser = try DocumentParser(bytes, file: file)
        self = try parser.document()
    }

    /// Parses the content of a Dockerfile as far as that goes: of one with a fault, what stands in front of it.
    static func read(_ bytes: [UInt8], file: String) -> (document: DockerfileDocument?, error: DockerfileError?) {
        do throws(DockerfileError) {
            var parser = try DocumentParser(bytes, file: file)
            do throws(DockerfileError) {
                return (try parser.document(), nil)
            } catch {
                return (parser.documentSoFar, error)
            }
        } catch {
            return (nil, error)
        }
    }

    /// Parses instructions without a stage around them: the changes of `commit --change`, the triggers of `ONBUILD`.
    /// `FROM` is not known there.
    ///
    /// Throws an error with the place of the first fault.
    public static func instructions(
        parsing text: String, file: String = "instruction"
    ) throws(DockerfileError) -> [Instruction] {
        var parser = try DocumentParser(Array(text.utf8), file: file)
        return try parser.looseInstructions()
    }

    /// The names of all variables that some `ARG` declares: an argument for the build with another name is of no use.
    public var declaredArgumentNames: Set<String> {
        var names: Set<String> = []
        for instruction in globalArguments + stages.flatMap(\.instructions) {
            guard case .argument(let argument) = instruction.operation else { continue }
            names.formUnion(argument.declarations.map(\.name))
        }
        return names
    }
}
