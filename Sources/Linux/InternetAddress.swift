internal import Glibc

/// Addresses of the Internet protocols as text.
public enum InternetAddress {
    /// Whether inet_pton(3) takes a text for an address of either version.
    public static func isValid(_ text: String) -> Bool {
        var bytes = in6_addr()
        return [AF_INET, AF_INET6].contains { inet_pton($0, text, &bytes) == 1 }
    }
}
