import FoundationEssentials
import Linux
public import OCI

/// A directory that outlives builds (`RUN --mount=type=cache`), held for the time of a command.
///
/// On disk it is `caches/<key>/`: `data` is the directory itself, `about` has the time when it was made and its name;
/// the latter's time of change is that of the last use. Whoever uses the directory holds a lock on `caches/<key>`:
/// a shared one, or an exclusive one to be alone with it. What nobody holds can be pruned.
public final class CacheMount: Sendable {
    /// The directory that commands see.
    public let path: String
    fileprivate let directory: FileDescriptor

    fileprivate init(path: String, directory: consuming FileDescriptor) {
        self.path = path
        self.directory = directory
    }

    /// Whether the directory was never filled, so that `publish` has to be called first.
    public var isNew: Bool { (try? directory.statusIfPresent(of: "data")) == .some(.none) }

    /// Makes a finished directory the content of a new cache; nothing happens where somebody else was faster.
    public func publish(_ content: String) throws(StoreError) {
        try attempting("fill the cache \(path)") { () throws(Errno) in
            do throws(Errno) {
                try FileDescriptor.currentDirectory.rename(content, to: directory, "data", flags: .noReplace)
            } catch {
                if error != .EEXIST && error != .ENOTEMPTY { throw error }
            }
        }
    }
}

/// The keys under which cache mounts are listed and pruned with the records of the build cache.
enum CacheMountKey {
    static let prefix = "mount:"

    /// The directory's name, nil for the key of a record.
    static func directory(_ key: String) -> String? {
        guard key.hasPrefix(prefix) else { return nil }
        let name = String(key.dropFirst(prefix.count))
        return name.allSatisfy(\.isHexDigit) && !name.isEmpty ? name : nil
    }
}

extension ImageStore {
    /// `caches/`, where the directories of `RUN --mount=type=cache` are.
    var caches: String { root + "/caches" }

    /// Takes hold of a cache, made if it is not there; nil while others hold it in a way that forbids that.
    ///
    /// - Parameters:
    ///   - key: tells it from all others.
    ///   - name: what people call it.
    ///   - exclusive: whether nobody else may use it at the same time.
    public func cacheMount(key: Digest, name: String, exclusive: Bool) throws(StoreError) -> CacheMount? {
        let place = "\(caches)/\(key.hex)"
        return try attempting("use the cache \(place)") { () throws(Errno) -> CacheMount? in
            while true {
                for directory in [caches, place] {
                    do throws(Errno) {
                        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
                    } catch {
                        if error != .EEXIST { throw error }
                    }
                }
                let mount: CacheMount
                do throws(Errno) {
                    mount = CacheMount(
                        path: place + "/data", directory: try FileDescriptor.open(place, [.directory, .noFollow]))
                } catch {
                    if error == .ENOENT { continue }
                    throw error
                }
                guard try mount.directory.lock(exclusive: exclusive, blocking: false) else { return nil }
                // It may have been pruned between the two.
                guard let now = try FileDescriptor.currentDirectory.statusIfPresent(of: place),
                    FileIdentity(now) == FileIdentity(try mount.directory.status())
                else { continue }
                try Self.note(name, in: mount.directory)
                return mount
            }
        }
    }

    /// Writes what a cache is called, or that it was used again.
    private static func note(_ name: String, in directory: borrowing FileDescriptor) throws(Errno) {
        if try directory.statusIfPresent(of: "about") == nil {
            let text = "\(Timestamp.now)\n\(name)\n"
            let file = try directory.open("about", [.writeOnly, .create, .noFollow], mode: 0o600)
            try file.writeAll(text)
        } else {
            try directory.setTimes(of: "about", access: .current, modification: .current)
        }
    }

    // MARK: Counting and removing

    /// All caches, as records of the build cache without a layer, most recently used first; `isShared` says that one is
    /// in use.
    func cacheMounts() throws(StoreError) -> [DiskUsage.Cache] {
        var result: [DiskUsage.Cache] = []
        for name in try cacheMountNames() {
            let place = "\(caches)/\(name)"
            guard let directory = try? FileDescriptor.open(place, [.directory, .noFollow]),
                let isFree = try? directory.lock(exclusive: true, blocking: false)
            else { continue }
            let about = (try? directory.open("about", [.noFollow]).readAll(limit: 1 << 16)) ?? []
            let lines = String(decoding: about, as: UTF8.self).split(separator: "\n", maxSplits: 1)
            let used = (try? directory.status(of: "about"))?.modificationTime ?? TimeSpec.current
            let lastUsed = Timestamp(seconds: used.seconds, nanoseconds: Int32(truncatingIfNeeded: used.nanoseconds))
            let created = lines.first.flatMap { try? Timestamp(parsing: String($0)) } ?? lastUsed
            let record = CacheRecord(
                key: CacheMountKey.prefix + name,
                .mount(name: lines.dropFirst().first.map { String($0.filter { $0 != "\n" }) } ?? ""),
                layerID: nil, createdAt: created, lastUsed: lastUsed)
            result.append(DiskUsage.Cache(record: record, size: try diskUsage(ofTree: place), isShared: !isFree))
        }
        return result.sorted { $0.record.lastUsed > $1.record.lastUsed }
    }

    /// The keys under which caches are pruned.
    public func cacheMountKeys() throws(StoreError) -> [String] {
        try cacheMountNames().map { CacheMountKey.prefix + $0 }
    }

    private func cacheMountNames() throws(StoreError) -> [String] {
        try attempting("list \(caches)") { () throws(Errno) in
            guard try FileDescriptor.currentDirectory.statusIfPresent(of: caches) != nil else { return [] }
            return try FileDescriptor.open(caches, [.directory]).sortedEntryNames().map { name in
                String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }.filter { CacheMountKey.directory(CacheMountKey.prefix + $0) != nil }
        }
    }

    /// Removes a cache that nobody holds; false where somebody does.
    func removeCacheMount(_ key: String) throws(StoreError) -> Bool {
        guard let name = CacheMountKey.directory(key) else { return false }
        let grave = try makeTemporaryDirectory()
        return try attempting("remove the cache \(caches)/\(name)") { () throws(Errno) in
            guard let directory = try? FileDescriptor.open("\(caches)/\(name)", [.directory, .noFollow]),
                try directory.lock(exclusive: true, blocking: false)
            else { return false }
            try grave.takeIn("\(caches)/\(name)")
            return true
        }
    }
}
