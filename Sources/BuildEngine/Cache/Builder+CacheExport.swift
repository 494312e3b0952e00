import FoundationEssentials
public import ImageStore
public import OCI

extension Builder {
    /// What the store's cache has of steps, as a document with the layers as their archives, and those layers in the
    /// order of the document, leased.
    ///
    /// - Parameter time: what `SOURCE_DATE_EPOCH` said; then no step is later.
    public func cacheDocument(
        of steps: [String], time: Timestamp? = nil
    ) throws(BuildError) -> (document: CacheDocument, layers: [LayerRecord]) {
        var document = CacheDocument()
        var layers: [LayerRecord] = []
        var places: [Digest: Int] = [:]
        for key in steps {
            guard let found = try StepCache(store: store).record(key) else { continue }
            var record = found.record
            if let time, let created = record.strata?.created { record.strata?.created = min(time, created) }
            if let layer = found.layer, let diffID = layer.diffID {
                let place = places[diffID] ?? layers.count
                if place == layers.count {
                    places[diffID] = place
                    layers.append(layer)
                    document.layers.append(CacheDocument.Layer(layer, diffID: diffID))
                }
                record.layers = [CacheDocument.Record.Result(layer: place, createdAt: record.strata?.created)]
            }
            document.records.append(record)
        }
        return (document, layers)
    }

    /// Puts the content of cache mounts into a document: what they hold now. Those that somebody has to himself, or that
    /// are gone, are left out.
    public func addCacheMounts(
        _ mounts: [Digest: String], to document: inout CacheDocument, _ layers: inout [LayerRecord]
    ) throws(BuildError) {
        let known = Set(try fromStore(store.cacheMountKeys))
        for (key, name) in mounts.sorted(by: { $0.key.hex < $1.key.hex }) where known.contains("mount:" + key.hex) {
            let held = try fromStore { () throws(StoreError) in
                try store.cacheMount(key: key, name: name, exclusive: false)
            }
            guard let held, !held.isNew else { continue }
            let layer = try fromStore { () throws(StoreError) in
                try store.commitLayer(copyingPlain: held.path).finish()
            }
            withExtendedLifetime(held) {}
            guard let diffID = layer.diffID else { continue }
            var place = document.layers.firstIndex { $0.annotations?.diffID == diffID }
            if place == nil {
                place = layers.count
                layers.append(layer)
                document.layers.append(CacheDocument.Layer(layer, diffID: diffID))
            }
            guard let place else { continue }
            document.mounts = (document.mounts ?? []) + [CacheDocument.Mount(key: key, name: name, layer: place)]
        }
    }
}

extension CacheDocument.Layer {
    /// A layer of the store as its archive.
    init(_ layer: LayerRecord, diffID: Digest, parent: Int = -1) {
        blob = diffID
        self.parent = parent
        annotations = Annotations(mediaType: .layerTar, diffID: diffID, size: layer.archiveSize)
    }
}

extension StepCache {
    /// The build argument that has BuildKit put the cache into the image.
    static let inlineArgument = "BUILDKIT_INLINE_CACHE"

    /// What is remembered of a step by its key, in the form of a document; the layer is leased.
    func record(_ key: String) throws(BuildError) -> (record: CacheDocument.Record, layer: LayerRecord?)? {
        try fromStore { () throws(StoreError) in
            guard key.hasPrefix("step:"), let digest = try? Digest(hex: String(key.dropFirst("step:".count))),
                let known = try store.cacheRecord(key: key),
                case .step(let step) = known.value
            else { return nil }
            var layer: LayerRecord?
            if step.hasLayer {
                guard let id = known.layerID, let found = try? store.layer(id), found.diffID != nil else { return nil }
                layer = found
            }
            let detail = CacheDocument.Record.Step(created: step.created, parent: step.parent)
            return (CacheDocument.Record(digest: digest, strata: detail), layer)
        }
    }
}

extension BuildSteps {
    /// Where the steps of a build are in the cache.
    ///
    /// - Parameters:
    ///   - target: the stage that became the image.
    ///   - stages: all stages, by number.
    init(of target: StageState, among stages: [Int: StageState]) {
        self.init()
        self.target = target.steps.map(\.description)
        for stage in stages.values { cacheMounts.merge(stage.cacheMounts) { first, _ in first } }
        var seen = Set(self.target)
        all = self.target
        for index in stages.keys.sorted() {
            for key in stages[index]?.steps ?? [] where seen.insert(key.description).inserted {
                all.append(key.description)
            }
        }
    }
}

extension ImageAssembler {
    /// Has the image say which steps led to its layers. Where the image's layers are not those of the steps, with other
    /// times, the steps are told on the image's.
    func embedCache(of state: StageState, in assembly: inout ImageAssembly) throws(BuildError) {
        if options.assembly.squashes {
            reporter.report(.warning("a squashed image has no layers of its steps: it gets no inline cache"))
            return
        }
        var document = CacheDocument()
        let diffIDs = assembly.layers.compactMap(\.diffID)
        for (index, layer) in assembly.layers.enumerated() {
            guard let diffID = layer.diffID else { return }
            document.layers.append(CacheDocument.Layer(layer, diffID: diffID, parent: index - 1))
        }
        var place = max(0, assembly.layers.count - state.madeLayers)
        let nothing = StepCache.name(of: [])
        for key in state.steps {
            guard let found = try cache.record(key.description) else { return }
            var record = found.record
            if record.strata?.parent != nothing {
                record.strata?.parent = StepCache.name(of: Array(diffIDs.prefix(place)))
            }
            if let sourceDate { record.strata?.created = sourceDate }
            if found.layer != nil {
                record.layers = [CacheDocument.Record.Result(layer: place, createdAt: record.strata?.created)]
                place += 1
            }
            document.records.append(record)
        }
        guard let bytes = try? document.encoded() else { return }
        assembly.configuration.other[CacheDocument.inlineMember] = .string(bytes.base64EncodedString())
    }
}
