import Dockerfile
import ImageStore
import Linux
public import OCI
import Runtime

/// Why an image could not be built.
public struct BuildError: CodedError, Hashable, Sendable {
    /// The kind of failure, to be compared by programs.
    public enum Code: String, Hashable, Sendable {
        /// The Dockerfile or an ignore file is wrong; the message has file, line and column.
        case dockerfile
        /// The Dockerfile cannot be read.
        case noDockerfile
        /// The context is no directory that can be read.
        case noContext
        /// A base image, or an image of `COPY --from`, is not in the store.
        case noSuchImage
        /// A source of `COPY` or `ADD` does not exist, or is left out by the ignore file.
        case noSuchFile
        /// A source leads out of the context.
        case forbiddenPath
        /// The destination does not take what is copied to it, such as a file where a directory is.
        case badDestination
        /// Something could not be fetched, or is not what was asked for.
        case remote
        /// A user or group is not in the image.
        case noSuchUser
        /// A command of the Dockerfile ended with a status other than zero; see `exitStatus`.
        case commandFailed
        /// The Dockerfile asks for something that this builder does not do.
        case unsupported
        /// The Dockerfile asks for something that the caller of the build did not allow.
        case notAllowed
        /// A secret or an SSH agent that a command requires was not given.
        case noSuchSecret
        /// An option of the build that makes no sense.
        case badOption
        /// An archive of `ADD` is damaged.
        case badArchive
        /// The disk is full.
        case noSpace
        /// The build was cancelled.
        case cancelled
        /// The image store failed.
        case store
        /// A container or a mount failed.
        case runtime
        /// A system call failed.
        case system
    }

    /// The kind of failure.
    public var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    public var message: String
    /// What the user can do about it, where known.
    public var remedy: String?
    /// `file:line` of the instruction, where it is an instruction's fault; with the column where one character is at
    /// fault.
    public var place: String?
    /// The lines of the Dockerfile that the error is about, as a block to be shown above the error; see `SourceExcerpt`.
    public var excerpt: String?
    /// The status of the command that failed.
    public var exitStatus: Int32?
    /// The step of the command that failed, as progress shows it.
    public var step: String?
    /// The last lines that the failed command printed, each behind the seconds since it began.
    public var lastOutput: [String] = []
    /// The file and the lines of the instruction, for the excerpt.
    private var file: String?
    private var lines: ClosedRange<Int>?

    /// Makes an error from its parts.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// One line: the place if there is one, the message, the remedy in parentheses.
    public var description: String {
        (place.map { "\($0): " } ?? "") + message + (remedy.map { " (\($0))" } ?? "")
    }

    /// The status that `strata build` ends with: 130 when it was cancelled, that of the failed command, else 1.
    public var processStatus: Int32 {
        switch code {
        case .cancelled: 130
        case .commandFailed: exitStatus.flatMap { $0 == 0 ? nil : $0 } ?? 1
        default: 1
        }
    }

    /// The same error at an instruction, unless it has a place already.
    func located(at origin: SourceOrigin) -> BuildError {
        guard place == nil, code != .cancelled else { return self }
        var error = self
        error.place = origin.description
        (error.file, error.lines) = (origin.file, origin.lines)
        return error
    }

    /// The same error with its lines of the Dockerfile, unless it is about none of them.
    func shown(in content: [UInt8], of file: String) -> BuildError {
        guard excerpt == nil, file == self.file, let lines else { return self }
        var error = self
        error.excerpt = SourceExcerpt.render(content, file: file, marked: lines)
        return error
    }
}

extension BuildError {
    init(_ error: DockerfileError) {
        self.init(.dockerfile, error.message, remedy: error.remedy)
        guard let file = error.file else { return }
        place = error.position.map { "\(file):\($0)" } ?? file
        (self.file, lines) = (file, error.lines ?? error.position.map { $0.line...$0.line })
    }

    init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .noSpace: .noSpace
            case .noSuchImage: .noSuchImage
            case .badArchive: .badArchive
            default: .store
            }
        self.init(code, saying: error)
    }

    init(_ error: RuntimeError) {
        self.init(error.code == .noSuchUser ? .noSuchUser : .runtime, saying: error)
    }

    /// The failure of a system call; `attempt` is what was to be done, such as "read /x".
    init(_ attempt: String, _ error: Errno) {
        switch error {
        case .ENOSPC, .EDQUOT:
            self.init(.noSpace, "cannot \(attempt): \(error)", remedy: "free some space, then build again")
        default: self.init(.system, "cannot \(attempt): \(error)", remedy: error.remedy)
        }
    }
}

// Each turns the error of a module below into one of ours.

let attempting = Attempt { BuildError($0, $1) }
let fromStore = ErrorTranslation { (error: StoreError) in BuildError(error) }
let fromRuntime = ErrorTranslation { (error: RuntimeError) in BuildError(error) }
let fromDockerfile = ErrorTranslation { (error: DockerfileError) in BuildError(error) }
