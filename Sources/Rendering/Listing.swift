import Linux

/// One column of a list: its name in templates, its heading, its cells.
package struct Column<Row>: Sendable {
    /// The name that templates use, such as `ID`.
    package var name: String
    /// The heading in tables, such as `IMAGE ID`.
    package var heading: String
    /// The cell of a row.
    package var cell: @Sendable (Row) -> String

    /// Describes a column.
    package init(_ name: String, _ heading: String, cell: @escaping @Sendable (Row) -> String) {
        self.name = name
        self.heading = heading
        self.cell = cell
    }
}

/// A list that is shown as a table, as lines of JSON or through a template: Docker's `--format`.
package struct Listing<Row>: Sendable {
    /// Every column that templates may name.
    package var columns: [Column<Row>]
    /// The columns of the table without `--format`.
    package var standard: [String]

    /// Describes a list.
    package init(columns: [Column<Row>], standard: [String]) {
        self.columns = columns
        self.standard = standard
    }

    /// Writes the list to standard output; see `text`.
    package func show(_ rows: [Row], format: String?, quiet: String? = nil) throws(RenderingError) {
        try Console.write(rendered: text(rows, format: format, quiet: quiet))
    }

    /// What is written to standard output. In tables, what acts on a terminal is made visible.
    ///
    /// - Parameters:
    ///   - format: nil, `table`, `table TEMPLATE`, `json` or `TEMPLATE`.
    ///   - quiet: the name of the column that `-q` shows alone; nil without `-q`.
    package func text(_ rows: [Row], format: String?, quiet: String? = nil) throws(RenderingError) -> String {
        let format = (format ?? "table").replacing("\\t", with: "\t").replacing("\\n", with: "\n")
        if let quiet, format == "table" || format == "json" {
            return rows.map { VisibleText.line(cell(quiet, of: $0)) + "\n" }.joined()
        }
        switch format {
        case "table": return table(rows)
        case "json": return rows.map { value($0).json + "\n" }.joined()
        default: break
        }
        guard format.hasPrefix("table ") || format.hasPrefix("table\t") else {
            let template = try Template(format)
            var text = ""
            for row in rows { text += try template.text(for: value(row)) + "\n" }
            return text
        }
        let template = try Template(String(format.dropFirst(6)))
        var writer = TableWriter()
        writer.add(line: try template.headings(headings))
        for row in rows {
            let visible = columns.map {
                Value.Member(name: $0.name, value: .string(VisibleText.line($0.cell(row))))
            }
            for line in try template.text(for: .object(visible)).split(
                separator: "\n", omittingEmptySubsequences: false)
            {
                writer.add(line: String(line))
            }
        }
        return writer.text
    }

    private func table(_ rows: [Row]) -> String {
        let shown = standard.compactMap { name in columns.first { $0.name == name } }
        var writer = TableWriter()
        writer.add(shown.map(\.heading))
        for row in rows { writer.add(shown.map { $0.cell(row) }) }
        return writer.text
    }

    private func cell(_ name: String, of row: Row) -> String {
        columns.first { $0.name == name }?.cell(row) ?? ""
    }

    /// A row as an object with a member for each column, sorted by name as Go sorts maps.
    ///
    /// - Parameter others: further members, in place of columns of the same name.
    package func value(_ row: Row, adding others: KeyValuePairs<String, Value> = [:]) -> Value {
        var members = columns.map { Value.Member(name: $0.name, value: .string($0.cell(row))) }
        for (name, value) in others {
            members.removeAll { $0.name == name }
            members.append(Value.Member(name: name, value: value))
        }
        return .object(members.sorted { $0.name < $1.name })
    }

    private var headings: Value {
        .object(columns.map { Value.Member(name: $0.name, value: .string($0.heading)) })
    }
}
