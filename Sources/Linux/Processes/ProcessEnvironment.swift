/// The variables of a process's environment, as a value: a front end takes its own once and hands it down, so that nothing
/// below depends on the process that it runs in.
public struct ProcessEnvironment: Hashable, Sendable {
    private let variables: [String: String]

    /// An environment of given variables.
    public init(_ variables: [String: String] = [:]) { self.variables = variables }

    /// The environment that the process was started with; proc(5), `/proc/pid/environ`. Bytes that are no UTF-8 are
    /// replaced.
    public static func current() -> ProcessEnvironment {
        guard let file = try? FileDescriptor.open("/proc/self/environ"), let bytes = try? file.readAll() else {
            return ProcessEnvironment()
        }
        var variables: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            // The first of a name counts, as for getenv(3).
            if variables[name] == nil {
                variables[name] = String(decoding: entry[entry.index(after: equals)...], as: UTF8.self)
            }
        }
        return ProcessEnvironment(variables)
    }

    /// The value of a variable, empty or not; nil where it is not set.
    public subscript(name: String) -> String? { variables[name] }

    /// The value of a variable; nil where it is not set or empty, which most variables mean the same by.
    public func nonEmpty(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }
}
