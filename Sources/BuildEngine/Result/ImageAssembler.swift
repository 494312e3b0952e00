import FoundationEssentials
import ImageStore
import OCI

/// How an image is made of what its steps have left.
public struct AssemblyOptions: Sendable, Hashable {
    /// `--squash`: all new layers become one on top of the base.
    public var squashes = false
    /// `--annotation`: what the manifest says besides.
    public var annotations: [String: String] = [:]
    /// Whether times of files in new layers that are later than `SOURCE_DATE_EPOCH` are set back to it, if it is set.
    public var rewritesTimes = true

    /// What is usual.
    public init() {}
}

/// What an image is made of.
struct ImageAssembly {
    var configuration: ImageConfiguration
    /// Bottom first.
    var layers: [LayerRecord]
}

/// Makes the image of what the steps have left.
struct ImageAssembler: Sendable {
    let options: BuildOptions
    /// The time that `SOURCE_DATE_EPOCH` gives the build.
    let sourceDate: Timestamp?
    let store: ImageStore
    let cache: StepCache
    let reporter: ProgressReporter

    /// Makes the image of a stage whose layers are all there, under the names that it is to have; says whether it is new.
    func makeImage(of state: StageState) throws(BuildError) -> (image: ImageRecord, isNew: Bool) {
        let assembly = try assemble(state)
        return try fromStore { () throws(StoreError) in
            try store.makeImage(
                configuration: assembly.configuration, layers: assembly.layers.map(\.id), tags: options.tags,
                annotations: options.assembly.annotations)
        }
    }

    /// Puts the image together: times as `SOURCE_DATE_EPOCH` has them, new layers squashed if that is asked for.
    private func assemble(_ state: StageState) throws(BuildError) -> ImageAssembly {
        var assembly = ImageAssembly(configuration: state.image, layers: [])
        for layer in state.layers { assembly.layers.append(try layer.record()) }
        let made = min(state.madeLayers, assembly.layers.count)
        var base = state.baseImage.flatMap { try? store.configuration(of: $0) }
        base?.completeHistory(layers: assembly.layers.count - made)
        let history = base?.history.count ?? 0
        if let sourceDate {
            try setTimes(of: &assembly, to: sourceDate, made: made, baseHistory: history)
        } else if assembly.configuration.created == nil {
            assembly.configuration.created = .now
        }
        if options.assembly.squashes, made > 0 {
            try squash(&assembly, made: made, onto: state.baseImage, baseHistory: history)
        }
        if options.embedsCache || options.buildArguments[StepCache.inlineArgument] == "1" {
            try embedCache(of: state, in: &assembly)
        }
        return assembly
    }

    // MARK: Times

    /// Gives what this build made the time of its sources; what the base brought keeps its own.
    private func setTimes(
        of assembly: inout ImageAssembly, to time: Timestamp, made: Int, baseHistory: Int
    ) throws(BuildError) {
        assembly.configuration.created = time
        for index in assembly.configuration.history.indices.dropFirst(baseHistory) {
            assembly.configuration.history[index].created = time
        }
        guard options.assembly.rewritesTimes else { return }
        for index in assembly.layers.indices.suffix(made) {
            let layer = assembly.layers[index]
            guard let diffID = layer.diffID else { continue }
            assembly.layers[index] = try derived("times:\(diffID.hex):\(time.seconds)") { () throws(StoreError) in
                try store.layer(layer.id, notLaterThan: time)
            }
        }
    }

    /// A layer that is made of others: the one that was made of them before if it is still there.
    private func derived(
        _ key: String, _ make: () throws(StoreError) -> LayerRecord
    ) throws(BuildError) -> LayerRecord {
        try fromStore { () throws(StoreError) in
            if let id = try store.cacheRecord(key: key)?.layerID, let known = try? store.layer(id), known.diffID != nil
            {
                cache.used.insert(key)
                return known
            }
            let layer = try make()
            try store.putCacheRecord(CacheRecord(key: key, .layer, layerID: layer.id))
            return layer
        }
    }

    // MARK: Squashing

    /// Puts the new layers together as one. The history keeps its lines, each of which then made no layer, and gets one
    /// for the merge, as with Docker.
    private func squash(
        _ assembly: inout ImageAssembly, made: Int, onto baseImage: Digest?, baseHistory: Int
    ) throws(BuildError) {
        let base = Array(assembly.layers.dropLast(made))
        let new = Array(assembly.layers.suffix(made))
        var whole = assembly.configuration
        whole.rootFS = RootFS(diffIDs: assembly.layers.compactMap(\.diffID))
        let merged = Digest.sha256(of: (try? JSON.encode(whole)) ?? Data())
        let (baseIDs, newIDs) = (base.map(\.id), new.map(\.id))
        let key =
            "squash:\(StepCache.name(of: base.compactMap(\.diffID))):\(StepCache.name(of: new.compactMap(\.diffID)))"
        let layer = try derived(key) { () throws(StoreError) in try store.mergeLayers(newIDs, over: baseIDs) }
        assembly.layers = base + [layer]
        for index in assembly.configuration.history.indices.dropFirst(baseHistory) {
            assembly.configuration.history[index].emptyLayer = true
        }
        // Not the present: squashed again from the cache it is the same image.
        let comment = baseImage.map { "merge \(merged) to \($0)" } ?? "create new from \(merged)"
        assembly.configuration.history.append(History(created: assembly.configuration.created, comment: comment))
    }
}
