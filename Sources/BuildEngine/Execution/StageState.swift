import Dispatch
import Dockerfile
import ImageStore
import OCI

/// An image in the making: where a stage has got to.
struct StageState: Sendable {
    /// Which stage it is.
    var number = 0
    /// The layers, bottom first.
    var layers: [BuildLayer] = []
    /// The configuration without `rootFS`.
    var image: ImageConfiguration
    /// The variables.
    var scope: VariableScope
    /// What the files depend on.
    var filesKey: CacheKey
    /// What everything depends on, the configuration included.
    var stateKey: CacheKey
    /// The image that the stage started from, if that was one.
    var baseImage: Digest?
    /// Why what follows is carried out rather than looked up; nil as long as it is looked up.
    var cacheBreak: CacheBreak?
    /// Whether nothing of the stage is taken from the cache, not even a layer that needs nothing below it.
    var isUncached = false
    /// The keys of the steps so far, those of the stages that it started from included.
    var steps: [CacheKey] = []
    /// The cache mounts of its commands, by their keys, with what people call them.
    var cacheMounts: [Digest: String] = [:]
    /// The image that all stands on, for explanations; nil for scratch.
    var base: StepDescription.Part?
    /// How many layers the stage, and those it started from, put on the base image.
    var madeLayers = 0
    /// Whether the stage has a `CMD` of its own, which `ENTRYPOINT` then leaves alone.
    var hasOwnCommand = false

    /// Hashes and publishes the stage's layers in the order in which they are made. Those that it starts from are
    /// handed to other queues before, so that no two queues wait for each other.
    var queue = DispatchQueue(label: "strata.build.layers")

    /// Layer IDs for mounts, bottom first.
    var layerIDs: [LayerID] { layers.map(\.id) }

    /// The shell of the shell form.
    var shell: [String] { image.config.shell ?? ["/bin/sh", "-c"] }

    /// The working directory, absolute.
    var workingDirectory: String {
        let directory = image.config.workingDir ?? ""
        return directory.isEmpty ? "/" : directory
    }

    /// The digests of the finished layers; waits for them.
    func diffIDs() throws(BuildError) -> [Digest] { try Self.diffIDs(of: layers) }

    /// The digests of layers, once they are finished.
    static func diffIDs(of layers: [BuildLayer]) throws(BuildError) -> [Digest] {
        var digests: [Digest] = []
        for layer in layers {
            guard let digest = try layer.record().diffID else {
                throw BuildError(.store, "the layer \(layer.id) has no digest")
            }
            digests.append(digest)
        }
        return digests
    }

    /// Writes a line of the history.
    mutating func record(_ createdBy: String, created: Timestamp, hasLayer: Bool) {
        image.created = created
        image.history.append(
            History(created: created, createdBy: createdBy, comment: "strata", emptyLayer: !hasLayer))
    }

    /// A path of an instruction, relative ones below the working directory; slashes at the end are kept.
    func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : workingDirectory + (workingDirectory.hasSuffix("/") ? "" : "/") + path
    }
}
