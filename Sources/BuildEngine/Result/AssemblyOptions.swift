/// How an image is made of what its steps have left.
public struct AssemblyOptions: Sendable, Hashable {
    /// `--squash`: all new layers become one on top of the base.
    public var squashes = false
    /// `--annotation`: what the manifest says besides.
    public var annotations: [String: String] = [:]
    /// Whether times of files in new layers that are later than `SOURCE_DATE_EPOCH` are set back to it, if it is set.
    public var rewritesTimes = true

    /// What is usual.
    public init() {}
}
