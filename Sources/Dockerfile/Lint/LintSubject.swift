/// What is checked, besides the Dockerfile itself.
public struct LintSubject {
    /// What is known of an image that a stage stands on.
    public struct Image: Sendable, Hashable {
        /// The variables that it sets.
        public var environment: [KeyValue]
        /// Whether it has a shell of its own (`SHELL`).
        public var hasShell: Bool
        /// The instructions that it wants carried out in images built from it (`ONBUILD`).
        public var triggers: [String]
        /// The platform that it is for and the one that is wanted, if they differ.
        public var mismatch: Mismatch?

        /// Two platforms, such as `linux/arm64`.
        public struct Mismatch: Sendable, Hashable {
            /// What the image is for.
            public var found: String
            /// What the build is for.
            public var expected: String

            /// Makes a pair.
            public init(found: String, expected: String) {
                self.found = found
                self.expected = expected
            }
        }

        /// Makes the facts of an image.
        public init(
            environment: [KeyValue] = [], hasShell: Bool = false, triggers: [String] = [], mismatch: Mismatch? = nil
        ) {
            self.environment = environment
            self.hasShell = hasShell
            self.triggers = triggers
            self.mismatch = mismatch
        }
    }

    /// The values from outside.
    public var arguments: BuildArguments
    /// The checks to be done; nil for what the directive of the file says.
    public var options: LintOptions?
    /// The stage, by name or number, that is looked into, with those that it needs; nil for all stages.
    public var target: String?
    /// The ignore file of the context.
    public var ignored: IgnorePatterns?
    /// What is known of the image that a stage stands on, by its name; nil for nothing.
    public var image: (_ name: String, _ platform: String?) -> Image?

    /// Makes a subject of which nothing is known.
    public init(
        arguments: BuildArguments = BuildArguments(), options: LintOptions? = nil, target: String? = nil,
        ignored: IgnorePatterns? = nil,
        image: @escaping (_ name: String, _ platform: String?) -> Image? = { _, _ in nil }
    ) {
        self.arguments = arguments
        self.options = options
        self.target = target
        self.ignored = ignored
        self.image = image
    }
}
