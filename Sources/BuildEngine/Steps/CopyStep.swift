import Dockerfile

/// What `COPY` does: files of the context, a stage or an image go straight into a new layer.
struct CopyStep: BuildStep {
    let copy: CopyInstruction
    let sources: BuildSources
    let maker: TransferMaker

    func layerStep(on state: StageState) throws(BuildError) -> LayerStep {
        for case .path(let path) in copy.files.sources where RemoteAddress.isWeb(path) {
            throw BuildError(.unsupported, "COPY does not take the address \(path)", remedy: "use ADD")
        }
        let needsFiles = copy.from != nil || copy.files.sources.contains { $0.isFile }
        let source = needsFiles ? try sources.files(of: copy.from) : try maker.nothing()
        return try maker.layerStep(
            TransferPlan(kind: "COPY", keepsParents: copy.parents), copy.files, from: source, on: state)
    }
}
