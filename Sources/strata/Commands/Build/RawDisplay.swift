import BuildEngine
import Dockerfile
import FoundationEssentials
import OCI
import Rendering
import Runtime
import Synchronization

/// A line of JSON for each event, in the form of BuildKit's `SolveStatus` (`--progress=rawjson`).
final class RawDisplay: BuildDisplay {
    private let progress = Mutex(RawProgress())

    func show(_ event: ProgressEvent) {
        progress.withLock { progress in
            guard let line = progress.render(event, at: .now) else { return }
            Console.remark(line + "\n")
        }
    }

    /// The lines have all of it.
    func show(lastOutputOf error: BuildError) {}

    func end() {}
}

/// Makes the lines; a step keeps its name and its times until it is done.
struct RawProgress {
    private struct Vertex: Encodable {
        var digest: String
        var name: String
        var started: String?
        var completed: String?
        var cached: Bool?
        var error: String?
    }

    private struct Status: Encodable {
        var id: String
        var vertex: String
        var name: String?
        var current = 0
        var timestamp: String
        var started: String
        var completed: String
    }

    private struct Log: Encodable {
        var vertex: String
        var stream: Int
        var data: Data
        var timestamp: String
    }

    private struct Warning: Encodable {
        var vertex: String
        var level = 1
        var short: Data
        var detail: [Data]?
        var url: String?
    }

    private struct Line: Encodable {
        var vertexes: [Vertex]?
        var statuses: [Status]?
        var logs: [Log]?
        var warnings: [Warning]?
    }

    private var open: [Int: Vertex] = [:]

    /// The line for an event; nil where there is nothing to say.
    mutating func render(_ event: ProgressEvent, at time: Timestamp) -> String? {
        let now = time.description
        var line = Line()
        switch event {
        case .started(let step):
            let vertex = Vertex(
                digest: Digest.sha256(of: "step \(step.number) \(step.title)").description, name: step.title,
                started: now)
            open[step.number] = vertex
            line.vertexes = [vertex]
        case .output(let step, let stream, let bytes):
            guard let vertex = open[step] else { return nil }
            let number = stream == .standardError ? 2 : 1
            line.logs = [Log(vertex: vertex.digest, stream: number, data: Data(bytes), timestamp: now)]
        case .cached(let step):
            line.vertexes = close(step, now) { $0.cached = true }
        case .finished(let step, _):
            line.vertexes = close(step, now) { _ in }
        case .failed(let step, let error):
            line.vertexes = close(step, now) { $0.error = error.description }
        case .note(let step, let text):
            guard let vertex = open[step] else { return nil }
            line.statuses = [Status(id: text, vertex: vertex.digest, timestamp: now, started: now, completed: now)]
        case .warning(let text):
            line.warnings = [Warning(vertex: Digest.sha256(of: "").description, short: Data(text.utf8))]
        case .diagnostic(let remark):
            let rule = remark.rule
            line.warnings = [
                Warning(
                    vertex: Digest.sha256(of: "").description, short: Data(remark.description.utf8),
                    detail: [Data(rule.summary.utf8)], url: rule.url)
            ]
        default: return nil
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(line) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    private mutating func close(_ step: Int, _ now: String, _ change: (inout Vertex) -> Void) -> [Vertex]? {
        guard var vertex = open.removeValue(forKey: step) else { return nil }
        vertex.completed = now
        change(&vertex)
        return [vertex]
    }
}
