/// The build checks of Docker's reference (docs.docker.com/reference/build-checks), by name.
public enum LintRule: String, Sendable, Hashable, CaseIterable {
    /// Instructions in one casing, upper or lower.
    case consistentInstructionCasing = "ConsistentInstructionCasing"
    /// A source of `COPY` or `ADD` that the ignore file leaves out.
    case copyIgnoredFile = "CopyIgnoredFile"
    /// Two stages of one name.
    case duplicateStageName = "DuplicateStageName"
    /// An address or a port of the host in `EXPOSE`.
    case exposeInvalidFormat = "ExposeInvalidFormat"
    /// `EXPOSE 80/TCP`.
    case exposeProtoCasing = "ExposeProtoCasing"
    /// `FROM … as`.
    case fromAsCasing = "FromAsCasing"
    /// `FROM --platform=` with a value that is no variable.
    case fromPlatformFlagConstDisallowed = "FromPlatformFlagConstDisallowed"
    /// A base that is not for the platform that is built for.
    case invalidBaseImagePlatform = "InvalidBaseImagePlatform"
    /// A base whose name is not valid unless `--build-arg` says more.
    case invalidDefaultArgInFrom = "InvalidDefaultArgInFrom"
    /// A comment above a stage or an argument that does not describe it.
    case invalidDefinitionDescription = "InvalidDefinitionDescription"
    /// `CMD` or `ENTRYPOINT` that goes to a shell.
    case jsonArgsRecommended = "JSONArgsRecommended"
    /// `ENV name value` instead of `ENV name=value`.
    case legacyKeyValueFormat = "LegacyKeyValueFormat"
    /// `MAINTAINER` instead of a label.
    case maintainerDeprecated = "MaintainerDeprecated"
    /// Several `CMD`, `ENTRYPOINT` or `HEALTHCHECK` of a stage.
    case multipleInstructionsDisallowed = "MultipleInstructionsDisallowed"
    /// A blank line inside a continued instruction.
    case noEmptyContinuation = "NoEmptyContinuation"
    /// `FROM --platform=$TARGETPLATFORM`.
    case redundantTargetPlatform = "RedundantTargetPlatform"
    /// A stage called `scratch` or `context`.
    case reservedStageName = "ReservedStageName"
    /// A variable whose name says that its value is a secret.
    case secretsUsedInArgOrEnv = "SecretsUsedInArgOrEnv"
    /// A stage name in upper case; names are compared without case.
    case stageNameCasing = "StageNameCasing"
    /// A variable in `FROM` that nothing declares.
    case undefinedArgInFrom = "UndefinedArgInFrom"
    /// A variable that nothing sets.
    case undefinedVar = "UndefinedVar"
    /// A relative `WORKDIR` with none before it.
    case workdirRelativePath = "WorkdirRelativePath"

    /// Whether the rule has to be asked for with `experimental=`.
    public var isExperimental: Bool { self == .invalidDefinitionDescription }

    /// Where the rule is explained; nil where Docker has no such page.
    public var url: String? {
        guard self != .invalidBaseImagePlatform else { return nil }
        var words: [String] = []
        var previousIsUpper = true
        for (index, character) in rawValue.enumerated() {
            // A run of capitals, as in JSON, is one word that ends before its last letter.
            let next = rawValue.dropFirst(index + 1).first
            let startsWord = character.isUppercase && (!previousIsUpper || next?.isLowercase == true)
            if startsWord || words.isEmpty { words.append("") }
            words[words.count - 1] += character.lowercased()
            previousIsUpper = character.isUppercase
        }
        return "https://docs.docker.com/go/dockerfile/rule/\(words.joined(separator: "-"))/"
    }

    /// What the rule is about, one sentence: the same for every place.
    public var summary: String {
        switch self {
        case .consistentInstructionCasing:
            "All commands within the Dockerfile should use the same casing (either upper or lower)"
        case .copyIgnoredFile: "Attempting to Copy file that is excluded by .dockerignore"
        case .duplicateStageName: "Stage names should be unique"
        case .exposeInvalidFormat:
            "IP address and host-port mapping should not be used in EXPOSE instruction."
                + " This will become an error in a future release"
        case .exposeProtoCasing: "Protocol in EXPOSE instruction should be lowercase"
        case .fromAsCasing: "The 'as' keyword should match the case of the 'from' keyword"
        case .fromPlatformFlagConstDisallowed: "FROM --platform flag should not use a constant value"
        case .invalidBaseImagePlatform: "Base image platform does not match expected target platform"
        case .invalidDefaultArgInFrom: "Default value for global ARG results in an empty or invalid base image name"
        case .invalidDefinitionDescription:
            "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`."
                + " If this is not intended to be a description comment, add an empty line or comment between the"
                + " instruction and the comment."
        case .jsonArgsRecommended:
            "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals"
        case .legacyKeyValueFormat: "Legacy key/value format with whitespace separator should not be used"
        case .maintainerDeprecated:
            "The MAINTAINER instruction is deprecated, use a label instead to define an image author"
        case .multipleInstructionsDisallowed:
            "Multiple instructions of the same type should not be used in the same stage"
        case .noEmptyContinuation: "Empty continuation lines will become errors in a future release"
        case .redundantTargetPlatform:
            "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior"
        case .reservedStageName: "Reserved words should not be used as stage names"
        case .secretsUsedInArgOrEnv: "Sensitive data should not be used in the ARG or ENV commands"
        case .stageNameCasing: "Stage names should be lowercase"
        case .undefinedArgInFrom: "FROM command must use declared ARGs"
        case .undefinedVar: "Variables should be defined before their use"
        case .workdirRelativePath:
            "Relative workdir without an absolute workdir declared within the build can have unexpected results if"
                + " the base image changes"
        }
    }
}
