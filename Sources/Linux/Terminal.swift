internal import CLinux
internal import Glibc

/// The size of a terminal in characters.
public struct TerminalSize: Hashable, Sendable {
    public var rows: UInt16
    public var columns: UInt16

    /// Puts rows and columns together.
    public init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// Settings of a terminal to go back to.
public struct TerminalSettings: @unchecked Sendable {
    private let settings: termios

    /// The present settings of a terminal. ENOTTY where the descriptor is none.
    public init(of terminal: Int32) throws(Errno) {
        var settings = termios()
        try checkVoid { tcgetattr(terminal, &settings) }
        self.settings = settings
    }

    /// Applies the settings after what was written is out.
    public func apply(to terminal: Int32) throws(Errno) {
        var settings = self.settings
        try checkVoid { tcsetattr(terminal, TCSADRAIN, &settings) }
    }

    /// Passes each byte on as it is typed, control characters included, and prints none (cfmakeraw(3)).
    public func applyRaw(to terminal: Int32) throws(Errno) {
        var settings = self.settings
        cfmakeraw(&settings)
        try checkVoid { tcsetattr(terminal, TCSADRAIN, &settings) }
    }

    /// Shows nothing of what is typed, for passwords; the end of the line is still told.
    public func applySilent(to terminal: Int32) throws(Errno) {
        var settings = self.settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        settings.c_lflag |= tcflag_t(ECHONL)
        settings.c_lflag |= tcflag_t(ICANON)
        try checkVoid { tcsetattr(terminal, TCSADRAIN, &settings) }
    }
}

/// Sizes of terminals.
public enum Terminal {
    /// The size that a terminal has; ENOTTY where the descriptor is none.
    public static func size(of terminal: Int32) throws(Errno) -> TerminalSize {
        var size = clinux_window_size()
        try checkVoid { clinux_get_window_size(terminal, &size) }
        return TerminalSize(rows: size.rows, columns: size.columns)
    }

    /// The size to draw in at this moment: 80 columns and 24 rows where the descriptor is no terminal, or one that does
    /// not know its size.
    public static func drawingSize(of terminal: Int32) -> TerminalSize {
        let size = try? size(of: terminal)
        return TerminalSize(
            rows: size.flatMap { $0.rows > 0 ? $0.rows : nil } ?? 24,
            columns: size.flatMap { $0.columns > 0 ? $0.columns : nil } ?? 80)
    }

    /// Gives a terminal a size; its processes get SIGWINCH.
    public static func setSize(of terminal: Int32, to size: TerminalSize) throws(Errno) {
        var native = clinux_window_size(rows: size.rows, columns: size.columns, x_pixels: 0, y_pixels: 0)
        try checkVoid { clinux_set_window_size(terminal, &native) }
    }
}
