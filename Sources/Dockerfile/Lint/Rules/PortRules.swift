/// `ExposeProtoCasing` and `ExposeInvalidFormat`, port by port.
enum ExposedPortRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        guard case .expose = step.instruction.operation,
            case .expose(let ports) = try step.expanded(state.scope)
        else { return }
        for port in ports {
            do throws(DockerfileError) {
                _ = try ExposedPort.parse(port)
            } catch {
                throw error.located(at: step.origin)
            }
            let parts = port.split(separator: ":", omittingEmptySubsequences: false)
            let transport = (parts.last ?? "").drop { $0 != "/" }
            if transport != Substring(String(transport).asciiLowercased) {
                report.warn(
                    .exposeProtoCasing, "Defined protocol '\(port)' in EXPOSE instruction should be lowercase",
                    at: step.origin, comments: step.comments)
            }
            if parts.dropLast().contains(where: { !$0.isEmpty }) {
                report.warn(
                    .exposeInvalidFormat,
                    "EXPOSE instruction should not define an IP address or host-port mapping, found '\(port)'",
                    at: step.origin, comments: step.comments)
            }
        }
    }
}
