import ImageStore
import OCI

/// An instruction that works on files.
protocol BuildStep {
    /// Finds out what the step's result depends on, and how it is done.
    func layerStep(on state: StageState) throws(BuildError) -> LayerStep

    /// Changes the configuration as the instruction says besides; called once the step is done.
    func configure(_ image: inout ImageConfiguration)
}

extension BuildStep {
    /// Nothing.
    func configure(_ image: inout ImageConfiguration) {}
}

/// How a step that works on files is done.
struct LayerStep {
    /// What its result depends on.
    var key: CacheKey
    /// The line of the history.
    var createdBy: String
    /// Whether the layer does not depend on those below (`--link`), so that it is found again on any other base.
    var isIndependent = false
    /// The cache mounts that it uses, by their keys, with what people call them.
    var cacheMounts: [Digest: String] = [:]
    /// What the key is the hash of, but for the step before; the instruction and the base are added later.
    var description = StepDescription(instruction: "")
    /// Does it; nil if nothing of the files changed, which only some instructions can tell.
    var work: (_ number: Int) throws(BuildError) -> PendingLayer?

    /// The layers that the result depends on.
    func layersBelow(in state: StageState) -> [BuildLayer] { isIndependent ? [] : state.layers }

    /// What their archives are called.
    func stack(in state: StageState) throws(BuildError) -> [Digest] { isIndependent ? [] : try state.diffIDs() }

    /// What the step stands on, for explanations.
    func place(in state: StageState) -> CacheKey { isIndependent ? .independent : state.filesKey }
}

/// Which of the shown steps of a stage an instruction is.
struct StepPlace {
    var stage: String?
    var index: Int
    var total: Int

    /// The line that names the step.
    func title(_ text: String) -> String {
        ProgressStep(number: 0, stage: stage, index: index, total: total, text: text).title
    }
}
