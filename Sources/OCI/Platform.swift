/// What an image runs on; image-spec, "Image Index", the `platform` property.
public struct Platform: Hashable, Codable, Sendable {
    /// The processor by Go's name, such as `amd64` or `arm64`.
    public var architecture: String
    /// The operating system by Go's name, such as `linux`.
    public var os: String
    /// The version of the operating system; only Windows images have one.
    public var osVersion: String?
    /// Features of the operating system that the image needs.
    public var osFeatures: [String]?
    /// The variant of the processor, such as `v8`.
    public var variant: String?

    /// Makes a platform from its parts.
    public init(architecture: String, os: String, variant: String? = nil) {
        self.architecture = architecture
        self.os = os
        self.variant = variant
    }

    /// Parses `os/architecture[/variant]` as `--platform` takes it; `badPlatform` for anything else.
    public init(parsing text: String) throws(OCIError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw OCIError(.badPlatform, "platform \"\(text)\" is not of the form os/architecture[/variant]")
        }
        self.init(architecture: parts[1], os: parts[0], variant: parts.count == 3 ? parts[2] : nil)
    }

    /// The platform this program was built for.
    public static var current: Platform {
        #if arch(arm64)
            Platform(architecture: "arm64", os: "linux", variant: "v8")
        #elseif arch(x86_64)
            Platform(architecture: "amd64", os: "linux")
        #else
            Platform(architecture: "unknown", os: "linux")
        #endif
    }

    enum CodingKeys: String, CodingKey {
        case architecture, os, variant
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }
}

extension Platform: CustomStringConvertible {
    /// `os/architecture[/variant]`.
    public var description: String { variant.map { "\(os)/\(architecture)/\($0)" } ?? "\(os)/\(architecture)" }
}
