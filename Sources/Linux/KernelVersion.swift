/// The first two numbers of a kernel's version.
public struct KernelVersion: Hashable, Comparable, Sendable {
    public var major: Int
    public var minor: Int

    /// A version by its numbers.
    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads the beginning of a version or a release: `4.8`, `6.1.0-18-amd64`. Nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix { ("0"..."9").contains($0) })
        else { return nil }
        self.init(major, minor)
    }

    /// The running kernel's; 0.0 where `/proc` does not tell.
    public static let running: KernelVersion = {
        guard let file = try? FileDescriptor.open("/proc/sys/kernel/osrelease"), let bytes = try? file.readAll() else {
            return KernelVersion(0, 0)
        }
        return KernelVersion(String(decoding: bytes, as: UTF8.self)) ?? KernelVersion(0, 0)
    }()

    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
