import Dockerfile
import ImageStore
import LayerTree
import Linux
import OCI

/// What `ADD` does: as `COPY` from the context, archives are unpacked, and addresses fetched.
///
/// What is fetched is unpacked only if `--unpack` says so.
struct AddStep: BuildStep {
    let add: AddInstruction
    let download: FileDownload?
    let sources: BuildSources
    let maker: TransferMaker

    func layerStep(on state: StageState) throws(BuildError) -> LayerStep {
        var plan = TransferPlan(kind: "ADD")
        plan.unpacks = add.unpack ?? true
        plan.unpacksFetched = add.unpack ?? false
        let hasRemote = add.files.sources.contains {
            if case .path(let path) = $0 { RemoteAddress.isRemote(path) } else { false }
        }
        if hasRemote { plan.scratch = try fromStore(maker.store.makeTemporaryDirectory) }
        if add.checksum != nil, !hasRemote || add.files.sources.count != 1 {
            throw BuildError(.dockerfile, "ADD --checksum is for one source, which has to be an address")
        }
        let source = add.files.sources.contains { $0.isFile } ? try sources.files(of: nil) : try maker.nothing()
        let scratch = plan.scratch
        var fetched = 0
        return try maker.layerStep(plan, add.files, from: source, on: state) { (text) throws(BuildError) in
            guard let scratch else { return nil }
            fetched += 1
            return try fetchSource(text, into: scratch, fetched)
        }
    }

    /// What a source of `ADD` that is an address leads to, fetched into a directory of the store; nil for a path.
    ///
    /// A repository becomes a directory whose content is copied; anything else a file of mode 0600, named like the end
    /// of its address, with the time of the header `Last-Modified`.
    private func fetchSource(
        _ text: String, into scratch: TemporaryDirectory, _ number: Int
    ) throws(BuildError) -> SelectedSource? {
        if let reference = GitReference(text) {
            return try checkOut(reference, "\(scratch.path)/git-\(number)")
        }
        guard RemoteAddress.isWeb(text) else { return nil }
        let expected = try add.checksum.map { (checksum) throws(BuildError) in try Self.digest(checksum) }
        let directory = try fromStore { () throws(StoreError) in try scratch.makeDirectory("file-\(number)") }
        let name = FileName(RemoteAddress.fileName(text))
        try maker.stop.check()
        let file = try fetch(text, to: "\(directory)/\(name.text)", with: download)
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
        _ reference: GitReference, _ directory: String
    ) throws(BuildError) -> SelectedSource {
        let checkout = GitCheckout(directory: directory, log: directory + ".log", checkpoint: maker.stop.check)
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
