/// `ReservedStageName` and `DuplicateStageName`, stage by stage.
enum ReservedStageNameRule: FileRule {
    private static let reserved: Set<String> = ["context", "scratch"]

    static func check(_ document: DockerfileDocument, _ subject: LintSubject, _ report: inout LintReport) {
        var seen: Set<String> = []
        for stage in document.stages {
            guard let name = stage.name else { continue }
            if reserved.contains(name) {
                report.warn(
                    .reservedStageName,
                    "Stage name should not use the same name as reserved stage \(name.goQuoted)", at: stage.origin)
            }
            if !seen.insert(name).inserted {
                report.warn(
                    .duplicateStageName, "Duplicate stage name \(name.goQuoted), stage names should be unique",
                    at: stage.origin)
            }
        }
    }
}
