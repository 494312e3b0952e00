import Linux

/// Finding programs.
enum Executables {
    /// The path of a program in the `PATH` of an environment; a name with a slash is taken as it is. Nil where there is
    /// none.
    static func find(_ name: String, in environment: ProcessEnvironment) -> String? {
        if name.contains("/") { return isExecutable(name) ? name : nil }
        let search = environment.nonEmpty("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        // The directories of administration are not in every user's PATH, and runc lives there.
        for directory in search.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin", "/sbin"] {
            let path = "\(directory)/\(name)"
            if isExecutable(path) { return path }
        }
        return nil
    }

    /// Whether a path names a regular file that somebody may execute.
    static func isExecutable(_ path: String) -> Bool {
        guard let status = try? FileDescriptor.currentDirectory.status(of: path, followSymlinks: true) else {
            return false
        }
        return status.isRegular && status.permissions & 0o111 != 0
    }

    /// The path of the running program.
    static func current() -> String? {
        guard let bytes = try? FileDescriptor.currentDirectory.readLink("/proc/self/exe") else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
