import Linux

extension ImageStore {
    /// Sums up what the store takes. Layers are not walked: their sizes are in the catalog. Containers are.
    public func diskUsage() throws(StoreError) -> DiskUsage {
        var usage = try catalog.read("sum up the disk usage") { try DiskUsageQuery.run(in: $0) }
        usage.overheadBytes = try overhead()
        try addCacheMounts(to: &usage)
        for record in try containers(includingBuilds: true) {
            let size = try containerFootprint(record.id)
            if record.isBuild {
                usage.overheadBytes += size
                continue
            }
            usage.containers.append(DiskUsage.Container(record: record, size: size))
            usage.containerTotal.count += 1
            usage.containerTotal.size += size
            if record.state == .running { usage.containerTotal.active += 1 }
            if usage.activeContainers.contains(record.id) { continue }
            usage.containerTotal.reclaimable += size
        }
        return usage
    }

    /// Counts the directories of `RUN --mount=type=cache` as build cache.
    private func addCacheMounts(to usage: inout DiskUsage) throws(StoreError) {
        let mounts = try cacheMounts()
        if mounts.isEmpty { return }
        for mount in mounts {
            usage.cacheMountBytes += mount.size
            usage.cacheTotal.count += 1
            usage.cacheTotal.size += mount.size
            if mount.isShared {
                usage.cacheTotal.active += 1
            } else {
                usage.cacheTotal.reclaimable += mount.size
                usage.reclaimableCacheMountBytes += mount.size
            }
        }
        usage.cache = (usage.cache + mounts).sorted { $0.record.lastUsed > $1.record.lastUsed }
    }

    /// Bytes that the store takes besides layers, documents, containers and volumes: the catalog, what is unfinished, the
    /// directories themselves.
    private func overhead() throws(StoreError) -> Int64 {
        try attempting("add up the files of \(root)") { () throws(Errno) in
            let home = try FileDescriptor.open(root, [.directory])
            var bytes = try home.status().allocatedSize + home.status(of: "blobs/sha256").allocatedSize
            for name in try home.sortedEntryNames() {
                let text = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if ["layers", "containers", "blobs", "caches", "volumes"].contains(text) {
                    bytes += try home.status(of: name).allocatedSize
                } else {
                    var counter = UsageCounter()
                    try counter.addTree(name, in: home)
                    bytes += counter.bytes
                }
            }
            return bytes
        }
    }

    /// Bytes a container has written: the allocated blocks below its upper directory, hard links once.
    public func containerSize(_ id: String) throws(StoreError) -> Int64 {
        try diskUsage(ofTree: containerPaths(id).upper)
    }

    /// Bytes of all files of a container: what it wrote, its log, its settings. What is mounted there is not counted.
    public func containerFootprint(_ id: String) throws(StoreError) -> Int64 {
        do throws(StoreError) {
            return try diskUsage(ofTree: containerPaths(id).directory)
        } catch {
            // It may have gone meanwhile, and a damaged one has no files.
            if (try? FileDescriptor.currentDirectory.status(of: containerPaths(id).directory)) == nil { return 0 }
            throw error
        }
    }

    /// Bytes of the allocated blocks of a directory and all below it, hard links once, without what is mounted there.
    public func diskUsage(ofTree path: String) throws(StoreError) -> Int64 {
        try attempting("add up the files of \(path)") { () throws(Errno) in
            var counter = UsageCounter()
            try counter.addTree(path, in: .currentDirectory)
            return counter.bytes
        }
    }
}
