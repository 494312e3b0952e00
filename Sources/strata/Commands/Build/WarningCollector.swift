import BuildEngine
import Dockerfile
import Rendering
import Synchronization

/// Keeps the remarks on the Dockerfile until the build is over.
final class WarningCollector: Sendable {
    private let warnings = Mutex<[Diagnostic]>([])

    /// Takes an event of the build.
    func take(_ event: ProgressEvent) {
        if case .diagnostic(let warning) = event { warnings.withLock { $0.append(warning) } }
    }

    /// Prints the remarks on standard error, if there are any.
    func show() { Console.remark(CheckText.summary(warnings.withLock { $0 })) }
}
