import Glibc
import Linux
import Runtime

// The process that tends a detached container is this program, too.
if let status = Supervisor.run(ifAskedBy: CommandLine.arguments, environment: { .current() }) { exit(status) }
exit(CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
