/// A terminal that remembers what it shows: the few sequences of a VT100 that live displays need, with lines that wrap
/// late, wide characters, and sizes that change.
public struct TerminalScreen {
    private struct Row {
        var cells: [String] = []
        /// Whether the terminal broke the line here.
        var continues = false
    }

    private var height: Int
    private var width: Int
    private let reflows: Bool
    private var all = [Row()]
    /// The first row that is not scrolled away.
    private var top = 0
    private var row = 0
    private var column = 0
    private var wraps = true
    private var pending: [Unicode.Scalar] = []
    /// How often something was erased.
    public private(set) var erasures = 0
    /// Sequences that are not known.
    public private(set) var unknown: [String] = []

    /// An empty terminal.
    ///
    /// - Parameter reflows: whether it breaks lines anew when its width changes, or cuts them.
    public init(rows: Int, columns: Int, reflows: Bool = false) {
        height = rows
        width = columns
        self.reflows = reflows
    }

    /// The rows that show something, those that are scrolled away too, without blanks at their ends.
    public var lines: [String] {
        all.map { row in
            var text = row.cells.joined()
            while text.last == " " { text.removeLast() }
            return text
        }.filter { !$0.isEmpty }
    }

    /// Shows a text.
    public mutating func feed(_ text: String) {
        for scalar in text.unicodeScalars {
            if !pending.isEmpty || scalar == "\u{1b}" {
                pending.append(scalar)
                endSequence()
            } else if scalar == "\n" {
                lineFeed()
            } else if scalar == "\r" {
                column = 0
            } else {
                put(scalar)
            }
        }
    }

    private mutating func endSequence() {
        guard pending.count > 2, let last = pending.last, ("\u{40}"..."\u{7e}").contains(last) else { return }
        let body = String(String.UnicodeScalarView(pending.dropFirst(2)))
        pending = []
        switch (body, last) {
        case ("J", _) where row == top && column == 0:
            // As tmux does: the whole screen becomes history.
            erasures += 1
            all.append(Row())
            row = all.count - 1
            top = row
        case ("J", _):
            erasures += 1
            all.removeLast(all.count - row - 1)
            all[row].cells = Array(all[row].cells.prefix(column))
            all[row].continues = false
        case ("?7l", _): wraps = false
        case ("?7h", _): wraps = true
        case (_, "A"): row = max(top, row - max(1, Int(body.dropLast()) ?? 1))
        case (_, "m"): break
        default: unknown.append(body)
        }
    }

    /// The kernel's terminal (ONLCR) returns to the first column as well.
    private mutating func lineFeed() {
        column = 0
        row += 1
        if row == all.count { all.append(Row()) }
        top = max(top, row - height + 1)
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        let columns = Self.columns(of: scalar)
        if columns == 0 {
            if column > 0, column <= all[row].cells.count { all[row].cells[column - 1].unicodeScalars.append(scalar) }
            return
        }
        if column + columns > width {
            if wraps {
                all[row].continues = true
                lineFeed()
            } else {
                column = max(0, width - columns)
            }
        }
        var cells = all[row].cells
        while cells.count < column + columns { cells.append(" ") }
        cells[column] = String(Character(scalar))
        if columns == 2 { cells[column + 1] = "" }
        all[row].cells = cells
        column += columns
    }

    /// Changes the size, as a user who moves the window's edge.
    public mutating func resize(rows: Int, columns: Int) {
        height = rows
        defer {
            top = max(0, row - height + 1)
            column = min(column, width)
        }
        width = columns
        guard reflows else {
            for index in all.indices { all[index].cells = Array(all[index].cells.prefix(columns)) }
            return
        }
        var result: [Row] = []
        var place = (row: 0, column: 0)
        var index = 0
        while index < all.count {
            var cells: [String] = []
            var cursor: Int?
            while true {
                if index == row { cursor = cells.count + column }
                cells += all[index].cells
                index += 1
                if !all[index - 1].continues || index == all.count { break }
            }
            while cells.last == " " { cells.removeLast() }
            if let cursor { place = (result.count + cursor / columns, cursor % columns) }
            repeat {
                result.append(Row(cells: Array(cells.prefix(columns)), continues: cells.count > columns))
                cells = Array(cells.dropFirst(columns))
            } while !cells.isEmpty
        }
        while result.count <= place.row { result.append(Row()) }
        all = result
        (row, column) = place
    }

    private static func columns(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x300...0x36f, 0x200d, 0xfe0f: 0
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xff01...0xff60, 0x1f300...0x1f64f: 2
        default: 1
        }
    }
}
