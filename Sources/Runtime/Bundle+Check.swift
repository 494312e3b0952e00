import OCI

extension Bundle.Command {
    /// Throws `badOption` where a text holds a NUL: an image's configuration may, and the kernel ends texts there.
    func check() throws(RuntimeError) {
        let texts = [
            ("the command", arguments), ("the environment", environment), ("the working directory", [workingDirectory]),
            ("the user", [user]),
        ]
        for (what, values) in texts where values.contains(where: { $0.utf8.contains(0) }) {
            throw RuntimeError(.badOption, "cannot start the container: \(what) holds a NUL")
        }
    }
}
