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
    /// - Parameters:
    ///   - store: the store's directory, which is never part of a context.
    ///   - isConfined: whether the directory came from elsewhere, so that links in it must not lead out of it.
    /// - Throws: `noContext`, `dockerfile`.
    init(
        directory: String, dockerfile: String?, store: String? = nil, isConfined: Bool = false
    ) throws(BuildError) {
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
        let ignored =
            isConfined
            ? try Self.confinedPatterns(root, dockerfile: dockerfile)
            : try Self.ignorePatterns(directory: directory, dockerfile: dockerfile)
        var filter = TreeFilter(ignored: ignored)
        filter.store = store.flatMap { try? FileDescriptor.currentDirectory.status(of: $0) }.map { FileIdentity($0) }
        tree = SourceTree(root: root, filter: filter, isContext: true)
    }

    /// The same of a directory that came from elsewhere; the Dockerfile's path is below it.
    private static func confinedPatterns(
        _ root: TreeDirectory, dockerfile: String?
    ) throws(BuildError) -> IgnorePatterns? {
        for path in [dockerfile.map { $0 + ".dockerignore" }, ".dockerignore"].compactMap({ $0 }) {
            let content = try attempting("read \(path)") { () throws(Errno) -> [UInt8]? in
                try root.readFile(TreePath.names(path), limit: 16 << 20)
            }
            guard let content else { continue }
            return try fromDockerfile { () throws(DockerfileError) in
                try IgnorePatterns(parsing: content, file: path)
            }
        }
        return nil
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
