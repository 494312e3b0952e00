import Linux

/// Aligns cells in columns as Docker's tables do: three blanks between columns, none narrower than ten.
///
/// The last cell of a row is not padded. What acts on a terminal in a cell, line feeds and tabs too, is made visible.
package struct TableWriter {
    private var rows: [[String]] = []

    /// A table without rows.
    package init() {}

    /// Adds a row.
    package mutating func add(_ cells: [String]) { rows.append(cells.map(VisibleText.line)) }

    /// Adds a line whose cells are separated by tabs.
    package mutating func add(line: String) {
        add(line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
    }

    /// The table, each row ended by a line feed.
    package var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.dropLast().enumerated() {
                if column == widths.count { widths.append(TableWriter.minimumWidth) }
                widths[column] = max(widths[column], DisplayWidth.of(cell) + TableWriter.padding)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += column < row.count - 1 ? DisplayWidth.padded(cell, to: widths[column]) : cell
            }
            text += "\n"
        }
        return text
    }

    private static let minimumWidth = 10
    private static let padding = 3
}
