/// Something in a Dockerfile that works, but is likely not what was meant.
/// The codes are the names of Docker's build checks where it has one.
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    /// What kind of remark it is.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A blank line inside a continued instruction.
        case noEmptyContinuation = "NoEmptyContinuation"
        /// `ENV name value` instead of `ENV name=value`.
        case legacyKeyValueFormat = "LegacyKeyValueFormat"
        /// `MAINTAINER` instead of a label.
        case maintainerDeprecated = "MaintainerDeprecated"
        /// An argument that starts like a JSON array and is none, so it goes to the shell.
        case jsonFormIgnored = "JSONFormIgnored"
        /// A stage name in upper case; names are compared without case.
        case stageNameCasing = "StageNameCasing"
        /// A stage called `scratch` or `context`.
        case reservedStageName = "ReservedStageName"
        /// Only the last `CMD`, `ENTRYPOINT` or `HEALTHCHECK` of a stage counts.
        case multipleInstructionsDisallowed = "MultipleInstructionsDisallowed"
    }

    /// What kind of remark it is.
    public var code: Code
    /// One sentence.
    public var message: String
    /// The file, as the user named it.
    public var file: String
    /// The place in the file.
    public var position: SourcePosition

    /// Makes a remark.
    public init(_ code: Code, _ message: String, file: String, position: SourcePosition) {
        self.code = code
        self.message = message
        self.file = file
        self.position = position
    }

    /// One line: `file:line:column: warning: message`.
    public var description: String { "\(file):\(position): warning: \(message)" }
}
