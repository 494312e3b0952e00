import ArgumentParser

/// How a list is shown.
struct FormatOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "'table' (default), 'table TEMPLATE', 'json' or 'TEMPLATE', a Go template.", valueName: "format"))
    var format: String?

    @Flag(name: .customLong("no-trunc"), help: "Do not shorten IDs and commands.")
    var noTruncation = false

    @Flag(name: .shortAndLong, help: "Show IDs only.")
    var quiet = false
}
