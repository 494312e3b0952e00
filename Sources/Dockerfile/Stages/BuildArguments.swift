/// The values that come from outside the Dockerfile.
public struct BuildArguments: Sendable, Hashable {
    /// `--build-arg`: name to value.
    public var given: [String: String]
    /// What the builder itself knows, such as `TARGETPLATFORM` and `TARGETARCH`: visible to `FROM`, and in a stage
    /// that declares it with `ARG`.
    public var predefined: [String: String]

    /// Makes the values.
    public init(given: [String: String] = [:], predefined: [String: String] = [:]) {
        self.given = given
        self.predefined = predefined
    }

    /// Arguments that `RUN` sees without an `ARG`, if they are given. They are not part of the history and should
    /// not be part of a cache key, unless an `ARG` declares them.
    public static let proxyNames: Set<String> = [
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
        "ALL_PROXY", "all_proxy",
    ]
}
