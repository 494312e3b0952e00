import Dockerfile
import ImageStore
import LayerTree
import Linux
import OCI
import Runtime

/// Takes hold of the directories of `RUN --mount=type=cache`, and fills new ones.
struct CacheMountHolder: Sendable {
    let store: ImageStore
    /// The caches of others; nil where none are asked.
    let imports: CacheImports?
    let reporter: ProgressReporter
    let stop: StopCheck

    /// Takes hold of the caches of a step, in one order for all steps so that no two wait for each other; they are found
    /// by the hexadecimal digits of their keys.
    func hold(_ step: StepMounts, _ number: Int) throws(BuildError) -> [String: CacheMount] {
        var held: [String: CacheMount] = [:]
        let caches = step.cacheItems
        for (key, item) in caches.sorted(by: { $0.key.hex < $1.key.hex }) where held[key.hex] == nil {
            let isLocked = caches.contains { $0.key == key && $0.item.mount.sharing == .locked }
            let cache = try hold(key, item, isLocked: isLocked, number)
            if cache.isNew { try fill(cache, item, key) }
            held[key.hex] = cache
        }
        return held
    }

    private func hold(
        _ key: Digest, _ item: StepMounts.Item, isLocked: Bool, _ number: Int
    ) throws(BuildError) -> CacheMount {
        let isPrivate = item.mount.sharing == .private
        var copy = 0
        var hasTold = false
        while true {
            try stop.check()
            let wanted = copy == 0 ? key : item.cacheKey(copy: copy)
            let cache = try fromStore { () throws(StoreError) in
                try store.cacheMount(key: wanted, name: item.id, exclusive: isLocked || isPrivate)
            }
            if let cache { return cache }
            if isPrivate {
                // Somebody has it: the next one.
                copy += 1
                continue
            }
            if !hasTold { reporter.note(number, "waiting for the cache \(item.id)") }
            hasTold = true
            MonotonicClock.sleep(milliseconds: 20)
        }
    }

    /// Puts into a directory what another store left of a cache; false where none did.
    private func takeOver(_ key: Digest, into content: String) -> Bool {
        guard let layer = imports?.mount(key) else { return false }
        do {
            let tree = try TreeDirectory(layers: [store.layerPath(layer.id)], marks: store.marks)
            let root = try DestinationDirectory(upper: content, marks: nil)
            var copier = TreeCopier(tree: SourceTree(root: tree, isContext: false), rules: CopyRules(), root: root)
            copier.checkpoint = stop.checkNowAndThen
            try copier.copyContents(of: tree, path: [], source: 0, to: root)
            return true
        } catch {
            reporter.report(.warning("a cache mount of another store cannot be used: \(error)"))
            return false
        }
    }

    private func fill(_ cache: CacheMount, _ item: StepMounts.Item, _ key: Digest) throws(BuildError) {
        let scratch = try fromStore(store.makeTemporaryDirectory)
        var content = try fromStore { () throws(StoreError) in try scratch.makeDirectory("data") }
        let isTakenOver = takeOver(key, into: content)
        if !isTakenOver { content = try fromStore { () throws(StoreError) in try scratch.makeDirectory("new") } }
        if !isTakenOver, let source = item.source {
            guard source.selected.isDirectory else {
                throw BuildError(
                    .badDestination, "the cache \(item.id) begins with \(source.selected.name.text), a file")
            }
            let opened = try attempting("fill the cache \(item.id)") { () throws(Errno) in
                let directory = try source.selected.location.open()
                return (directory, try DestinationDirectory(upper: content, marks: nil))
            }
            let rules = CopyRules(owner: source.tree.isContext ? .root : nil)
            var copier = TreeCopier(tree: source.tree, rules: rules, root: opened.1)
            copier.checkpoint = stop.checkNowAndThen
            try copier.copyContents(
                of: opened.0, path: source.selected.path, source: source.selected.prefixLength, to: opened.1)
        }
        let mount = item.mount
        try attempting("fill the cache \(item.id)") { () throws(Errno) in
            let directory = try FileDescriptor.open(content, [.directory])
            try directory.setOwner(uid: mount.userID ?? 0, gid: mount.groupID ?? 0)
            try directory.setMode(mount.mode ?? 0o755)
        }
        try fromStore { () throws(StoreError) in try cache.publish(content) }
    }
}
