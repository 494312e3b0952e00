public import Dockerfile
public import OCI
public import Runtime

/// Something that happened during a build. Events come in order, from one thread at a time.
public enum ProgressEvent: Sendable {
    /// A step, such as an instruction, has begun. At most one step is open for each number.
    case started(ProgressStep)
    /// A command has printed something, not necessarily whole lines.
    case output(step: Int, stream: OutputStream, bytes: [UInt8])
    /// The step's result was there already; `finished` does not follow.
    case cached(step: Int)
    /// The step is done after that many seconds.
    case finished(step: Int, seconds: Double)
    /// The step has failed; the build ends with the same error.
    case failed(step: Int, error: BuildError)
    /// A detail of a step, such as a name that the image got.
    case note(step: Int, text: String)
    /// A remark on the build, one line.
    case warning(String)
    /// A remark on the Dockerfile; to be shown when the build is over.
    case diagnostic(Diagnostic)
    /// The image is in the store.
    case image(id: Digest, tags: [Reference])
}

/// What progress is shown of: an instruction or something that the builder does by itself.
public struct ProgressStep: Sendable, Hashable {
    /// Counts from one, in the order in which steps begin.
    public var number: Int
    /// The stage's name; nil for what belongs to no stage, and where there is only one.
    public var stage: String?
    /// Which instruction of its stage it is, from one, of those that make files; nil for what is no instruction.
    public var index: Int?
    /// How many of them the stage has.
    public var total: Int?
    /// The instruction in one line, or what is done.
    public var text: String

    /// The line that names the step, such as `[build 2/4] RUN make`.
    public var title: String {
        guard let index, let total else { return text }
        let width = "\(total)".utf8.count
        let number = String(repeating: " ", count: max(0, width - "\(index)".utf8.count)) + "\(index)/\(total)"
        return "[\(stage.map { "\($0) " } ?? "")\(number)] \(text)"
    }
}
