import Linux
import OCI
import Rendering

/// Does something for each name, as Docker's commands for several objects do: what fails is told at once, the others
/// are done, and the exit status is 1 when something failed.
func forEach(_ names: [String], _ body: (String) throws -> Void) throws {
    var failed = false
    for name in names {
        do {
            try body(name)
        } catch let error as CommandError where error.code == .silent {
            throw error
        } catch let error as RenderingError where error.endsOutput {
            throw error
        } catch {
            guard let line = oneLine(error) else { throw error }
            Console.complain(line)
            failed = true
        }
    }
    if failed { throw CommandError.exit(1) }
}

/// The message of an error of ours; nil for others.
func oneLine(_ error: any Error) -> String? {
    switch error {
    case let error as any DescribedError: error.description
    case let error as Errno: "a system call failed: \(error.explained)"
    default: nil
    }
}
