/// The stages of a Dockerfile as `--call=targets` shows them.
public struct TargetList: Sendable, Hashable {
    /// A stage.
    public struct Target: Sendable, Hashable {
        /// The name in lower case, nil if it has none.
        public var name: String?
        /// What a comment above says about it.
        public var description: String?
        /// Whether it is built if no target is named.
        public var isDefault: Bool
        /// What it starts from and for which platform, as written.
        public var base: String
        public var platform: String?
        /// The lines of the `FROM`.
        public var lines: ClosedRange<Int>
    }

    /// The stages in order.
    public var targets: [Target]

    /// Lists the stages.
    public init(_ document: DockerfileDocument) {
        targets = document.stages.map { stage in
            Target(
                name: stage.name, description: stage.name.flatMap { stage.written.description(of: $0) },
                isDefault: stage.index == document.stages.count - 1, base: stage.base, platform: stage.platform,
                lines: stage.origin.lines)
        }
    }
}
