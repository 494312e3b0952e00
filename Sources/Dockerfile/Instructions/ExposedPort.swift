/// A port of `EXPOSE`.
public struct ExposedPort: Sendable, Hashable, CustomStringConvertible {
    /// The number.
    public var number: UInt16
    /// `tcp`, `udp` or `sctp`.
    public var transport: String

    /// `number/transport`, the form of the image configuration.
    public var description: String { "\(number)/\(transport)" }

    /// Reads `80`, `80/udp`, `8000-8010` or `8000-8010/tcp`; of `8080:80` the part behind the colon counts.
    ///
    /// Throws `invalidArgument`, without a place.
    public static func parse(_ text: String) throws(DockerfileError) -> [ExposedPort] {
        let fault = DockerfileError(
            .invalidArgument, "\(text.shown) is not a port",
            remedy: "write a number from 1 to 65535, a range such as 8000-8010, and /tcp, /udp or /sctp if need be")
        let container = text.utf8.split(separator: ASCII.colon, omittingEmptySubsequences: false).last ?? text.utf8[...]
        let parts = container.split(separator: ASCII.slash, omittingEmptySubsequences: false)
        let transport = parts.count > 1 ? parts[1].text.asciiLowercased : "tcp"
        guard parts.count <= 2, ["tcp", "udp", "sctp"].contains(transport) else { throw fault }
        let ends = parts[0].split(separator: ASCII.dash, omittingEmptySubsequences: false)
        guard ends.count <= 2, ends.allSatisfy({ $0.allSatisfy(ASCII.isDigit) }),
            let first = ends.first.flatMap({ UInt16($0.text) }), let last = ends.last.flatMap({ UInt16($0.text) }),
            first > 0, first <= last
        else { throw fault }
        return (first...last).map { ExposedPort(number: $0, transport: transport) }
    }
}
