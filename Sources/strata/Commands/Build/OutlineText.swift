import Dockerfile
import Linux
import Rendering

/// The stages of a Dockerfile, and what one of them takes from outside, as text.
enum OutlineText {
    /// What `--call=targets` prints.
    static func render(_ list: TargetList) -> String {
        let rows = list.targets.map { target in
            let name = target.name ?? ""
            let shown = target.isDefault ? (name.isEmpty ? "(default)" : "\(name) (default)") : name
            return [shown, target.description ?? ""]
        }
        return table([["TARGET", "DESCRIPTION"]] + rows, gap: 1)
    }

    /// What `--call=outline` prints.
    static func render(_ outline: BuildOutline) -> String {
        var text = ""
        if outline.name != nil || outline.description != nil {
            var rows = [["TARGET:", outline.name ?? "(default)"]]
            if let description = outline.description { rows.append(["DESCRIPTION:", description]) }
            text += table(rows, gap: 1) + "\n"
        }
        if !outline.arguments.isEmpty {
            let rows = outline.arguments.map { [$0.name, $0.value ?? "", $0.description ?? ""] }
            text += table([["BUILD ARG", "VALUE", "DESCRIPTION"]] + rows, gap: 3) + "\n"
        }
        for (title, needs) in [("SECRET", outline.secrets), ("SSH", outline.agents)] where !needs.isEmpty {
            let rows = needs.map { [$0.name, $0.isRequired ? "true" : ""] }
            text += table([[title, "REQUIRED"]] + rows, gap: 3) + "\n"
        }
        return text
    }

    /// Columns as wide as their widest cell; the last one is as it is.
    private static func table(_ rows: [[String]], gap: Int) -> String {
        let rows = rows.map { $0.map(VisibleText.line) }
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count - 1 ? DisplayWidth.of($0[column]) + gap : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column < row.count - 1 ? DisplayWidth.padded(cell, to: widths[column]) : cell
            }.joined() + "\n"
        }.joined()
    }
}
