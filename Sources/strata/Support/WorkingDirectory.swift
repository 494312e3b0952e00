import Linux
import Runtime

/// The directory that relative paths are relative to.
enum WorkingDirectory {
    /// Its absolute path.
    static func path() throws(CommandError) -> String {
        do throws(Errno) {
            let path = try FileDescriptor.currentDirectory.readLink("/proc/self/cwd")
            return String(decoding: path, as: UTF8.self)
        } catch {
            throw CommandError(.failed, "cannot tell the working directory: \(error)")
        }
    }

    /// A path made absolute, without `.` and `..`.
    static func absolute(_ path: String) throws(CommandError) -> String {
        if path.hasPrefix("/") { return ContainerPath.normalized(path) }
        return ContainerPath.normalized(try WorkingDirectory.path() + "/" + path)
    }
}
