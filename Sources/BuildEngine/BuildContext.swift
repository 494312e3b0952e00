import Dockerfile
import Linux
import OCI

/// The directory that a build takes files from. Nothing of it is copied or read before an instruction asks for it.
final class BuildContext: Sendable {
    /// Its files, without those that the ignore file leaves out.
    let tree: SourceTree
    /// The directory's own name on this machine: what is remembered of its files is found by it.
    let identity: String

    /// Opens a directory and reads its ignore file: the Dockerfile's own (`<Dockerfile>.dockerignore`) if there is one,
    /// else `.dockerignore`.
    ///
    /// `noContext`, `dockerfile`.
    init(directory: String, dockerfile: String?) throws(BuildError) {
        let root: TreeDirectory
        do throws(Errno) {
            root = try TreeDirectory(directory: directory)
            let status = try root.status()
            identity = "context:\(status.device):\(status.inode)"
        } catch {
            throw BuildError(
                .noContext, "cannot use \(directory) as the build context: \(error)",
                remedy: "give the directory that holds the files to copy")
        }
        let filter = TreeFilter(ignored: try Self.ignorePatterns(directory: directory, dockerfile: dockerfile))
        tree = SourceTree(root: root, filter: filter, isContext: true)
    }

    private static func ignorePatterns(
        directory: String, dockerfile: String?
    ) throws(BuildError) -> IgnorePatterns? {
        for path in [dockerfile.map { $0 + ".dockerignore" }, directory + "/.dockerignore"].compactMap({ $0 }) {
            let content: [UInt8]
            do throws(Errno) {
                content = try FileDescriptor.open(path, [.nonBlocking]).readAll(limit: 16 << 20)
            } catch {
                if error == .ENOENT || error == .ENOTDIR { continue }
                throw BuildError("read \(path)", error)
            }
            return try fromDockerfile { () throws(DockerfileError) in
                try IgnorePatterns(parsing: content, file: path)
            }
        }
        return nil
    }
}
