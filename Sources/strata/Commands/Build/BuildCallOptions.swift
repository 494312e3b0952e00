import ArgumentParser
import Linux

/// What `build` is asked to do instead of a build; Docker's names.
struct BuildCallOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What to do: build, check (find likely mistakes), outline (show arguments), targets (show stages).",
            valueName: "method[,format=json]"))
    var call = "build"

    @Flag(help: "Find likely mistakes in the Dockerfile instead of building it; the same as --call=check.")
    var check = false

    @Option(help: ArgumentHelp("How the result of --call is printed: text or json.", valueName: "format"))
    var format: String?

    /// The method that was asked for; nil for a build.
    func method() throws(CommandError) -> BuildCall? {
        var (method, format, ignoresStatus): (String?, String?, Bool) = (check ? "check" : nil, nil, false)
        for field in call.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = field.parts(at: "=")
            switch (parts[0], parts.count) {
            case ("format", 2): format = parts[1]
            case ("ignorestatus", 2): ignoresStatus = ["1", "t", "true"].contains(parts[1].lowercased())
            case (_, 1): if !check { method = parts[0] }
            default: throw CommandError(.usage, "invalid value \"\(call)\" for --call: there is no field \(parts[0])")
            }
        }
        let wanted = self.format ?? format
        guard wanted == nil || wanted == "json" || wanted == "text" else {
            throw CommandError(.usage, "invalid format \"\(wanted ?? "")\"", remedy: "one of text, json")
        }
        switch method {
        case nil, "", "build":
            if let wanted {
                throw CommandError(
                    .usage, "a build has no format \"\(wanted)\"", remedy: "--format goes with --check and --call")
            }
            return nil
        case "lint": return BuildCall(method: .check, isJSON: wanted == "json", ignoresStatus: ignoresStatus)
        case let name?:
            guard let method = BuildCall.Method(rawValue: name) else {
                throw CommandError(
                    .usage, "invalid value \"\(call)\" for --call", remedy: "one of build, check, outline, targets")
            }
            return BuildCall(method: method, isJSON: wanted == "json", ignoresStatus: ignoresStatus)
        }
    }
}
