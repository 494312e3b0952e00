import ArgumentParser
import Linux

/// What the process of a container is given: shared by `run`, `create` and `exec`.
struct ProcessOptions: ParsableArguments {
    @Option(
        name: [.customShort("e", allowingJoined: true), .long],
        help: ArgumentHelp("Set a variable; without a value, pass on ours.", valueName: "name=value"))
    var env: [String] = []

    @Option(help: ArgumentHelp("Read variables from a file, one on each line.", valueName: "file"))
    var envFile: [String] = []

    @Option(
        name: [.customShort("w", allowingJoined: true), .long],
        help: ArgumentHelp("The working directory.", valueName: "directory"))
    var workdir: String?

    @Option(
        name: [.customShort("u", allowingJoined: true), .long],
        help: ArgumentHelp("User and group, names or numbers.", valueName: "user[:group]"))
    var user: String?

    /// The variables of the files, then those of the command line: `NAME=value`, or the name of one to remove. What is
    /// named without a value has ours, and is removed where we have none.
    func variables() throws(CommandError) -> [String] {
        var variables: [String] = []
        for file in envFile { variables += try EnvironmentFile.read(file) }
        return (variables + env).map { entry in
            entry.contains("=") ? entry : Environment.current[entry].map { "\(entry)=\($0)" } ?? entry
        }
    }
}
