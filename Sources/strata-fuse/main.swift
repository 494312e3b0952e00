// The server of one mount: a stack of directories as one, until it is unmounted.

import FUSE
import Glibc
import Linux
import UnionFS

func parse() -> MountOptions {
    do throws(MountOptions.Failure) {
        return try MountOptions(Array(CommandLine.arguments.dropFirst()))
    } catch {
        fail("\(error); see strata-fuse --help")
    }
}

let options = parse()
switch options.action {
case .help:
    print(usage)
    exit(0)
case .version:
    print("strata-fuse \(ProgramVersion.number)")
    exit(0)
case .mount:
    Server(options).run()
}
