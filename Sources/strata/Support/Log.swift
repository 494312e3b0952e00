import Glibc
import Linux
import Logging
import OCI
import Rendering

/// What is reported for whoever looks for a fault: lines on standard error, none unless they are asked for.
enum Log {
    /// The logger of a level by its name, as `--log-level` or `STRATA_LOG` gives it; nil and `off` report nothing.
    static func logger(level text: String?) throws(CommandError) -> Logger {
        guard let text, !text.isEmpty, text.lowercased() != "off" else {
            return Logger(label: "strata") { _ in SwiftLogNoOpLogHandler() }
        }
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandError(.usage, "invalid log level \"\(text)\"", remedy: "use \(levels) or off")
        }
        var logger = Logger(label: "strata") { _ in StandardErrorHandler() }
        logger.logLevel = level
        return logger
    }
}

/// Writes a line for each event: the time, the level, the module, the message, and what belongs to it.
private struct StandardErrorHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let details = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        Console.remark(
            line: "\(Timestamp.now.fixedWidth) \(event.level) \(event.source): \(event.message)\(details)")
    }
}
