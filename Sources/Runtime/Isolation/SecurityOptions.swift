import Linux
import OCI

/// What `--security-opt` values say.
struct SecurityOptions: Hashable, Sendable {
    /// Which system calls are allowed.
    enum Filter: Hashable, Sendable {
        /// As Docker does by default.
        case standard
        /// All of them.
        case none
        /// As the text of a profile says; see `SeccompProfile.parse`.
        case profile(String)
    }

    var filter = Filter.standard
    /// Whether set-id programs lose their effect.
    var hasNoNewPrivileges = false
    /// The AppArmor profile to run under; nil for none.
    var appArmorProfile: String?

    /// Reads values as `normalized` gives them.
    ///
    /// - Throws: `badOption` for what is no such value, or cannot be had on this machine.
    init(_ values: [String]) throws(RuntimeError) {
        for text in values {
            let (name, value) = try Self.parts(text)
            switch name {
            case "seccomp" where value == "builtin": filter = .standard
            case "seccomp" where value == Self.unconfined: filter = .none
            case "seccomp": filter = .profile(value)
            case Self.noNewPrivileges:
                guard let isSet = Self.truth(value) else { throw Self.refusal(text) }
                hasNoNewPrivileges = isSet
            case "apparmor": appArmorProfile = value == Self.unconfined || !Self.hasAppArmor ? nil : value
            case "label":
                if value != "disable", Self.hasSELinux {
                    throw RuntimeError(.badOption, "labels of SELinux are not supported: \"\(text)\"")
                }
            default: throw Self.refusal(text)
            }
        }
    }

    /// The filter as a profile; nil for none.
    func profile() throws(RuntimeError) -> SeccompProfile? {
        switch filter {
        case .standard: .standard
        case .none: nil
        case .profile(let text): try SeccompProfile.parse(text)
        }
    }

    // MARK: Values of the command line

    /// Values as the user gives them in the form that is kept: a file with a profile is read, and `systempaths` is taken
    /// out, which Docker keeps elsewhere.
    ///
    /// - Throws: `badOption` for what is no such value, for a file that cannot be read, and for a profile that is wrong.
    static func normalized(
        _ given: [String]
    ) throws(RuntimeError) -> (values: [String], masksSystemPaths: Bool) {
        var values: [String] = []
        var masksSystemPaths = true
        for text in given {
            let (name, value) = try parts(text)
            switch name {
            case "seccomp" where value != "builtin" && value != unconfined:
                values.append("seccomp=" + (try profile(inFile: value)))
            case "systempaths" where value == unconfined: masksSystemPaths = false
            default: values.append(text)
            }
        }
        _ = try SecurityOptions(values).profile()
        return (values, masksSystemPaths)
    }

    private static let unconfined = "unconfined"
    private static let noNewPrivileges = "no-new-privileges"

    /// `NAME=VALUE`, or `NAME:VALUE` as it was once written. Only `no-new-privileges` means something by itself.
    private static func parts(_ text: String) throws(RuntimeError) -> (name: String, value: String) {
        if text == noNewPrivileges { return (text, "true") }
        guard let separator = text.firstIndex(of: "=") ?? text.firstIndex(of: ":") else { throw refusal(text) }
        let value = text[text.index(after: separator)...]
        if value.isEmpty { throw refusal(text) }
        return (String(text[..<separator]), String(value))
    }

    private static func refusal(_ text: String) -> RuntimeError {
        RuntimeError(
            .badOption, "invalid --security-opt: \"\(text)\"",
            remedy: "seccomp=, no-new-privileges, apparmor=, label= and systempaths=unconfined are known")
    }

    /// The spellings that Go's `strconv.ParseBool` takes.
    private static func truth(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    private static func profile(inFile path: String) throws(RuntimeError) -> String {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try FileDescriptor.open(path, .nonBlocking).readAll(limit: 1 << 20)
        } catch {
            throw RuntimeError(.badOption, "opening seccomp profile (\(path)) failed: \(error)")
        }
        return String(decoding: withoutWhiteSpace(bytes), as: UTF8.self)
    }

    /// A JSON document without the white space between its parts.
    private static func withoutWhiteSpace(_ document: [UInt8]) -> [UInt8] {
        var (isString, isEscaped) = (false, false)
        return document.filter { byte in
            if isString {
                if !isEscaped, byte == UInt8(ascii: "\"") { isString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                return true
            }
            isString = byte == UInt8(ascii: "\"")
            return byte > UInt8(ascii: " ")
        }
    }

    /// Whether the kernel enforces AppArmor profiles.
    private static var hasAppArmor: Bool {
        let bytes = (try? FileDescriptor.open("/sys/module/apparmor/parameters/enabled").readAll(limit: 8)) ?? []
        return bytes.first == UInt8(ascii: "Y")
    }

    /// Whether the kernel enforces SELinux labels.
    private static var hasSELinux: Bool {
        (try? FileDescriptor.currentDirectory.status(of: "/sys/fs/selinux/enforce")) != nil
    }
}
