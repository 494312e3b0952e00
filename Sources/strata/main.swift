import Glibc
import Runtime

// The process that tends a detached container is this program, too.
if let status = Supervisor.run(ifAskedBy: CommandLine.arguments) { exit(status) }
exit(CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
