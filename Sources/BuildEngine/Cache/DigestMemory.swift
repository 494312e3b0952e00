import FoundationEssentials
import ImageStore
import OCI

/// The digest of what a step copies, and the files that it is of; none where the digest was known.
struct CopiedContent {
    var digest: Digest
    var manifest = FileManifest()
}

/// Hashes the files that steps take, and remembers what it has hashed: of layers, which never change, the digest of each
/// selection; of contexts, the digest of each file.
struct DigestMemory: Sendable {
    let store: ImageStore
    /// What was found.
    let used: UsedRecords
    let stop: StopCheck

    /// The digest of a selection of files.
    ///
    /// - Parameters:
    ///   - kind: what is selected for; selections of different kinds have different digests.
    ///   - selection: tells the selection from others of the same layers.
    ///   - add: hashes what is selected.
    func digest(
        of files: SourceFiles, _ rules: CopyRules, kind: String, selection: (inout KeyHasher) -> Void,
        add: (inout ContentDigest) throws(BuildError) -> Void
    ) throws(BuildError) -> CopiedContent {
        var memory: Digest?
        if let stack = files.stack {
            var hasher = KeyHasher(kind)
            hasher.add(stack.map(\.hex))
            selection(&hasher)
            let key = hasher.finish()
            if let known = try digest(key) { return CopiedContent(digest: known) }
            memory = key
        }
        var digest = ContentDigest(
            tree: files.tree, rules: rules, files: files.digests, checkpoint: stop.checkNowAndThen)
        try add(&digest)
        let result = digest.finish()
        if let memory { try put(result, for: memory) }
        return CopiedContent(digest: result, manifest: digest.manifest)
    }

    /// A digest that was computed for a key earlier.
    private func digest(_ key: Digest) throws(BuildError) -> Digest? {
        try fromStore { () throws(StoreError) in
            guard let record = try store.cacheRecord(key: "content:" + key.hex),
                case .selection(let digest) = record.value
            else { return nil }
            used.insert(record.key)
            return digest
        }
    }

    private func put(_ digest: Digest, for key: Digest) throws(BuildError) {
        try fromStore { () throws(StoreError) in
            try store.putCacheRecord(
                CacheRecord(key: "content:" + key.hex, .selection(digest), layerID: nil))
        }
    }

    // MARK: Files of contexts

    /// What earlier builds of a context learnt of its files.
    func files(of context: BuildContext) throws(BuildError) -> FileDigests {
        let files = FileDigests()
        let record = try fromStore { () throws(StoreError) in try store.cacheRecord(key: context.identity) }
        if let record, case .files(let bytes) = record.value {
            used.insert(record.key)
            files.restore(Array(bytes))
        }
        return files
    }

    /// Remembers what this build learnt.
    func put(_ files: FileDigests, of context: BuildContext) throws(BuildError) {
        guard let bytes = files.encodedIfChanged() else { return }
        try fromStore { () throws(StoreError) in
            try store.putCacheRecord(CacheRecord(key: context.identity, .files(Data(bytes)), layerID: nil))
        }
    }
}
