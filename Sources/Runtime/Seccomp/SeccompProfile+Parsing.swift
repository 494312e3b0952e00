import FoundationEssentials
import Linux
import OCI

extension SeccompProfile {
    /// Reads a profile in Docker's format, which is runtime-spec's `linux.seccomp` with `archMap`, and with `includes` and
    /// `excludes` in its rules. Nil where it says nothing, which Docker takes for no filter.
    ///
    /// - Throws: `badOption` for what is not JSON, and for what no runtime could make a filter of.
    static func parse(_ text: String) throws(RuntimeError) -> SeccompProfile? {
        let document: Document
        do throws(OCIError) {
            document = try JSON.decode(Document.self, from: Data(text.utf8))
        } catch {
            throw refusal(error.message)
        }
        let rules = document.syscalls ?? []
        guard let defaultAction = document.defaultAction, !defaultAction.isEmpty else {
            if rules.isEmpty { return nil }
            throw refusal("it has no \"defaultAction\"")
        }
        let (names, map) = (document.architectures ?? [], document.archMap ?? [])
        if !names.isEmpty, !map.isEmpty { throw refusal("it has both \"architectures\" and \"archMap\"") }
        for name in names + map.flatMap({ [$0.architecture] + ($0.subArchitectures ?? []) }) {
            guard name.hasPrefix("SCMP_ARCH_") else { throw refusal("\"\(name)\" is no architecture") }
        }
        try check(action: defaultAction)
        return SeccompProfile(
            defaultAction: defaultAction, defaultError: document.defaultErrnoRet, architectures: names,
            architectureMap: map.map { .init(name: $0.architecture, others: $0.subArchitectures ?? []) },
            flags: document.flags, listenerPath: document.listenerPath, listenerMetadata: document.listenerMetadata,
            rules: try rules.enumerated().map { item throws(RuntimeError) in try rule(item.element, item.offset) })
    }

    private static func rule(_ written: Document.Rule, _ number: Int) throws(RuntimeError) -> Rule {
        let place = "syscalls[\(number)]"
        var names = written.names ?? []
        if let name = written.name, !name.isEmpty {
            if !names.isEmpty { throw refusal("\(place) has both \"name\" and \"names\"") }
            names = [name]
        }
        if names.isEmpty { throw refusal("\(place) names no system call") }
        guard let action = written.action else { throw refusal("\(place) has no \"action\"") }
        try check(action: action)
        for argument in written.args ?? [] {
            guard comparisons.contains(argument.op) else {
                throw refusal("\(place) compares an argument by \"\(argument.op)\"")
            }
            if argument.index > 5 { throw refusal("\(place) compares argument \(argument.index), and calls have six") }
        }
        return Rule(
            names: names, action: action, error: written.errnoRet, arguments: written.args ?? [],
            onlyWith: try condition(written.includes, place), notWith: try condition(written.excludes, place))
    }

    private static func condition(
        _ written: Document.Condition?, _ place: String
    ) throws(RuntimeError) -> Condition {
        guard let written else { return Condition() }
        var condition = Condition(capabilities: written.caps ?? [], architectures: written.arches ?? [])
        if let text = written.minKernel, !text.isEmpty {
            guard let version = KernelVersion(text) else { throw refusal("\(place): \"\(text)\" is no kernel version") }
            condition.kernel = version
        }
        return condition
    }

    private static func check(action: String) throws(RuntimeError) {
        if !actions.contains(action) { throw refusal("\"\(action)\" is no action") }
    }

    private static let actions: Set<String> = [
        "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", fail, "SCMP_ACT_TRACE",
        allow, "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
    ]

    private static let comparisons: Set<String> = [
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
        "SCMP_CMP_MASKED_EQ",
    ]

    private static func refusal(_ reason: String) -> RuntimeError {
        RuntimeError(.badOption, "Decoding seccomp profile failed: \(reason)")
    }

    /// The document as it is written.
    private struct Document: Decodable {
        struct Architecture: Decodable {
            var architecture: String
            var subArchitectures: [String]?
        }
        struct Condition: Decodable {
            var caps: [String]?
            var arches: [String]?
            var minKernel: String?
        }
        struct Rule: Decodable {
            var name: String?
            var names: [String]?
            var action: String?
            var errnoRet: UInt32?
            var args: [RuntimeSpecification.SystemCallRule.Argument]?
            var includes: Condition?
            var excludes: Condition?
        }
        var defaultAction: String?
        var defaultErrnoRet: UInt32?
        var architectures: [String]?
        var archMap: [Architecture]?
        var flags: [String]?
        var listenerPath: String?
        var listenerMetadata: String?
        var syscalls: [Rule]?
    }
}
