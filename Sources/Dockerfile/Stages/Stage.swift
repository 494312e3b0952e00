/// One build stage: a `FROM` and the instructions up to the next.
public struct Stage: Sendable, Hashable {
    /// The number of the stage, from zero.
    public var index: Int
    /// The name behind `AS`, in lower case: names are compared without case.
    public var name: String?
    /// What the stage starts from, as written: `scratch`, a stage or an image, with its variables.
    public var base: String
    /// `--platform=`, as written.
    public var platform: String?
    /// Where the `FROM` stands.
    public var origin: SourceOrigin
    /// The `FROM` in one line.
    public var text: String
    /// How the `FROM` is written.
    public var written: WrittenForm
    /// `AS`, and the name behind it, as they are written.
    public var writtenSeparator: String?
    public var writtenName: String?
    /// What follows the `FROM`, in order.
    public var instructions: [Instruction]
}
