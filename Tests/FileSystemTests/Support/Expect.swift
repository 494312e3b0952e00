import Linux
import Testing

/// Expects a call to fail with one error number.
func expectError(
    _ expected: Errno..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    let wanted = expected.map { "\($0.rawValue) (\($0))" }.joined(separator: " or ")
    do {
        try body()
        Issue.record("succeeded; expected error \(wanted)", sourceLocation: sourceLocation)
    } catch let error as Errno {
        if !expected.contains(error) {
            Issue.record("error \(error.rawValue) (\(error)); expected \(wanted)", sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record("\(error); expected error \(wanted)", sourceLocation: sourceLocation)
    }
}
