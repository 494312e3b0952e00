import Dockerfile
import ImageStore
import Linux
import OCI

extension Executor {
    /// What a source of `ADD` that is an address leads to, fetched into a directory of the store; nil for a path.
    ///
    /// A repository becomes a directory whose content is copied; anything else a file of mode 0600, named like the end
    /// of its address, with the time of the header `Last-Modified`.
    func fetchSource(
        _ text: String, _ add: AddInstruction, into scratch: TemporaryDirectory, _ number: Int
    ) throws(BuildError) -> SelectedSource? {
        if let reference = GitReference(text) {
            return try checkOut(reference, add, "\(scratch.path)/git-\(number)")
        }
        guard RemoteAddress.isWeb(text) else { return nil }
        let expected = try add.checksum.map { (checksum) throws(BuildError) in try Self.digest(checksum) }
        let directory = try fromStore { () throws(StoreError) in try scratch.makeDirectory("file-\(number)") }
        let name = FileName(RemoteAddress.fileName(text))
        try checkpoint()
        let file = try fetch(text, to: "\(directory)/\(name.text)", with: options.download)
        if let expected, expected != file.digest {
            throw BuildError(
                .remote, "\(text) has the digest \(file.digest), not \(expected)",
                remedy: "correct --checksum if that is the file you want")
        }
        return try attempting("read \(directory)") { () throws(Errno) in
            let tree = SourceTree(root: try TreeDirectory(directory: directory), isContext: true)
            guard let location = try tree.root.resolve([name]) else { throw .ENOENT }
            return SelectedSource(location: location, name: name, tree: tree, digest: file.digest)
        }
    }

    private static func digest(_ text: String) throws(BuildError) -> Digest {
        do throws(OCIError) { return try Digest(parsing: text) } catch {
            throw BuildError(.dockerfile, "--checksum: \(error.message)")
        }
    }

    private func checkOut(
        _ reference: GitReference, _ add: AddInstruction, _ directory: String
    ) throws(BuildError) -> SelectedSource {
        let checkout = GitCheckout(directory: directory, log: directory + ".log", checkpoint: checkpoint)
        let commit = try checkout.run(
            reference, expected: add.checksum, keepsMetadata: add.keepGitDirectory)
        var hasher = KeyHasher("git")
        hasher.add(
            [commit, reference.directory, add.keepGitDirectory || reference.keepsMetadata ? "metadata" : ""]
                + add.files.excludes)
        let tree = SourceTree(
            root: try attempting("read \(directory)") { () throws(Errno) in try TreeDirectory(directory: directory) },
            isContext: true)
        let found = try attempting("read \(reference.directory)") { () throws(Errno) in
            try tree.root.resolve(TreePath.names(reference.directory))
        }
        guard let location = found else {
            throw BuildError(.noSuchFile, "\(reference.address) has no \(reference.directory)")
        }
        let name = TreePath.names(reference.directory).last ?? FileName("")
        return SelectedSource(location: location, name: name, tree: tree, digest: hasher.finish())
    }
}
