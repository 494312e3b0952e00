import ImageStore
import LayerTree
import Linux
import OCI
import Runtime

/// What `WORKDIR` does to files: the directory is made where it is missing, for the user who will work there.
struct WorkingDirectoryStep: BuildStep {
    /// Absolute, normalised.
    let directory: String
    let store: ImageStore

    func layerStep(on state: StageState) throws(BuildError) -> LayerStep {
        let user = state.image.config.user ?? ""
        let key = state.filesKey.step("WORKDIR", definition: [[directory, user]])
        let description = StepDescription(directory: directory, user: user)
        return LayerStep(key: key, createdBy: "WORKDIR \(directory)", description: description) {
            (_: Int) throws(BuildError) in
            let lower = try store.openLayers(state.layerIDs)
            let scratch = try fromStore(store.makeTemporaryDirectory)
            let upper = try fromStore { () throws(StoreError) in try scratch.makeDirectory("upper") }
            var owner = FileOwner.root
            if !user.isEmpty {
                let users = try store.users(of: state)
                owner = try fromRuntime { () throws(RuntimeError) in
                    let identity = try users.identity(for: user)
                    return FileOwner(uid: identity.uid, gid: identity.gid)
                }
            }
            guard try makeDirectory(in: upper, over: lower, owner: owner) else { return nil }
            return try fromStore { () throws(StoreError) in
                try store.commitLayer(takingUpper: upper, lowers: state.layerIDs)
            }
        }
    }

    func configure(_ image: inout ImageConfiguration) { image.config.workingDir = directory }

    /// Makes a directory in a new layer; false where the layers below have it.
    private func makeDirectory(
        in upper: String, over lower: TreeDirectory, owner: FileOwner
    ) throws(BuildError) -> Bool {
        func making<Value>(_ body: () throws(Errno) -> Value) throws(BuildError) -> Value {
            do throws(Errno) { return try body() } catch {
                if error == .ENOTDIR {
                    throw BuildError(.badDestination, "cannot make the directory \(directory): a file is in the way")
                }
                throw BuildError("make the directory \(directory)", error)
            }
        }
        let location = try making { () throws(Errno) in
            let root = try DestinationDirectory(upper: upper, lower: lower, marks: store.marks)
            let location = try root.resolve(TreePath.names(directory))
            if location.file != nil { throw .ENOTDIR }
            return location
        }
        try location.directory.requireStorable(location.rest)
        _ = try making { () throws(Errno) in
            try location.directory.makeDirectories(location.rest, owner: owner)
        }
        return !location.rest.isEmpty
    }
}
