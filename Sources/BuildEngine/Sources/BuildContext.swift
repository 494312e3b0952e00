import Dockerfile
import LayerTree
import Linux
import OCI

/// The directory that a build takes files from. Nothing of it is copied or read before an instruction asks for it.
final class BuildContext: Sendable {
    /// Its files, without those that the ignore file leaves out.
    let tree: SourceTree
    /// The directory's own name on this machine: what is remembered of its files is found by it.
    let identity: String

    /// Opens a directory and reads its ignore file: the Dockerfile's own (`<Dockerfile>.dockerignore`) if there is one,
    /// else `.dockerignore`, which links in the directory do not lead out of.
    ///
    /// - Parameter store: the store's directory, which is never part of a context.
    /// - Throws: `noContext`, `dockerfile`.
    init(directory: String, dockerfile: DockerfileSource?, store: String? = nil) throws(BuildError) {
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
        var ignored = try dockerfile?.ignorePatterns()
        if ignored == nil { ignored = try DockerfileSource.ignorePatterns(".dockerignore", in: directory) }
        var filter = TreeFilter(ignored: ignored)
        filter.store = store.flatMap { try? FileDescriptor.currentDirectory.status(of: $0) }.map { FileIdentity($0) }
        tree = SourceTree(root: root, filter: filter, isContext: true)
    }
}
