import Linux
import Rendering

/// Asks the user at the terminal.
enum Prompt {
    /// A line that is seen while it is typed.
    static func line(_ question: String) throws(CommandError) -> String {
        Console.remark(question)
        var line: [UInt8] = []
        var byte: [UInt8] = [0]
        while true {
            let read = byte.withUnsafeMutableBytes { buffer in
                Result { () throws(Errno) in try BorrowedDescriptor.standardInput.read(into: buffer) }
            }
            let count: Int
            do throws(Errno) {
                count = try read.get()
            } catch {
                throw CommandError(.failed, "cannot read standard input: \(error)")
            }
            if count == 0 || byte[0] == UInt8(ascii: "\n") { break }
            line.append(byte[0])
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    /// A line that is not seen.
    static func secret(_ question: String) throws(CommandError) -> String {
        let settings = try? TerminalSettings(of: 0)
        try? settings?.applySilent(to: 0)
        defer { try? settings?.apply(to: 0) }
        return try line(question)
    }
}

/// Questions before something is lost.
enum Confirmation {
    /// Asks whether to go on; whatever is not yes ends the command.
    static func ask(_ warning: String, unless force: Bool) throws(CommandError) {
        if force { return }
        Console.remark("WARNING! \(warning)\nAre you sure you want to continue? [y/N] ")
        let answer = readLine()?.lowercased() ?? ""
        if answer != "y" && answer != "yes" { throw .exit(1) }
    }
}
