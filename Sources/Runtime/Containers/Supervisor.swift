import FoundationEssentials
import ImageStore
public import Linux
import OCI

/// The process that tends a detached container: this program, started again with a hidden first argument.
public enum Supervisor {
    /// The first argument that asks for a supervisor.
    public static let command = "internal-supervise"

    /// Descriptor 3, on which the starter waits for word.
    private static let report = BorrowedDescriptor(3)

    /// What the supervisor tells the starter.
    private struct Report: Codable {
        var pid: Int32?
        var code: RuntimeError.Code?
        var message: String?
        var remedy: String?
    }

    /// Tends a container until it ends, when the arguments of the process ask for that; to be called before anything
    /// else is done with them.
    ///
    /// - Parameters:
    ///   - arguments: all arguments of the process, its name first.
    ///   - environment: its variables.
    /// - Returns: the status to exit with; nil when the arguments ask for something else.
    public static func run(ifAskedBy arguments: [String], environment: () -> ProcessEnvironment) -> Int32? {
        guard arguments.count > 1, arguments[1] == command else { return nil }
        var options: [String: String] = [:]
        var rest = arguments.dropFirst(2)
        while rest.count > 1, let name = rest.popFirst(), let value = rest.popFirst() { options[name] = value }
        guard let root = options["--root"], let id = rest.first else { return 125 }
        do {
            let context = RuntimeContext(
                store: try ImageStore(root: root), environment: environment(), runtime: options["--runtime"],
                helper: options["--helper"].map(MountHelper.init(path:)))
            return tend(id, context)
        } catch {
            tell(Report(code: .store, message: error.message, remedy: error.remedy))
            return 125
        }
    }

    private static func tend(_ id: String, _ context: RuntimeContext) -> Int32 {
        var hasTold = false
        do throws(RuntimeError) {
            let container = try fromStore { () throws(StoreError) in try context.store.container(matching: id) }
            let run = try ContainerRun(context, container)
            return try run.carryOut(attachment: nil) { pid in
                tell(Report(pid: pid))
                hasTold = true
            }
        } catch {
            if !hasTold { tell(Report(code: error.code, message: error.message, remedy: error.remedy)) }
            return error.exitCode
        }
    }

    /// Says one word to the starter and hangs up, once; when nobody listens any more, nobody needs to know.
    private static func tell(_ word: Report) {
        guard let data = try? JSON.encode(word) else { return }
        Supervision.ignoreBrokenPipes()
        _ = Array(data).withUnsafeBytes { bytes in try? report.writeAll(bytes) }
        _ = FileDescriptor(owning: report.rawValue)
    }

    /// The error that the answer of a supervisor stands for; nil when the container runs.
    static func error(in answer: [UInt8], container: ContainerRecord) -> RuntimeError? {
        guard !answer.isEmpty, let report = try? JSON.decode(Report.self, from: Data(answer)) else {
            return RuntimeError(
                .supervisorLost, "cannot start container \(container.shortID): its supervisor ended without a word")
        }
        guard let code = report.code else { return nil }
        return RuntimeError(code, report.message ?? "unknown reason", remedy: report.remedy)
    }
}
