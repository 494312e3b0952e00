import Rendering

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
