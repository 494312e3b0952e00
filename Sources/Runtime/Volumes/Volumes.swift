public import ImageStore
import LayerTree
import Linux
public import OCI

/// Directories that outlive containers, in `volumes/` of the store.
public struct Volumes: Sendable {
    private let directory: String
    private let store: ImageStore

    /// The volumes of a store.
    public init(_ store: ImageStore) {
        self.store = store
        directory = store.root + "/volumes"
    }

    /// Where a volume's files are.
    public func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// The names of all volumes, sorted.
    public func names() throws(RuntimeError) -> [String] {
        try attempting("list \(directory)") { () throws(Errno) in
            do throws(Errno) {
                return try FileDescriptor.open(directory, .directory).sortedEntryNames().map { name in
                    String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                }
            } catch {
                if error == .ENOENT { return [] }
                throw error
            }
        }
    }

    /// A name for a volume that nobody named: 64 random hexadecimal digits.
    public static func anonymousName() -> String { RandomName.hex(digits: 64) }

    /// Docker's rule for names: letters, digits, `_.-`, the first one a letter or digit, at least two.
    static func isName(_ text: String) -> Bool {
        let allowed = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
        guard allowed, (2...255).contains(text.utf8.count), let first = text.first else { return false }
        return first.isLetter || first.isNumber
    }

    /// Makes an empty volume; one that exists is left as it is. `badOption` for a name that is not allowed.
    public func create(_ name: String) throws(RuntimeError) {
        guard Volumes.isName(name) else {
            throw RuntimeError(
                .badOption,
                "create \(name): \"\(name)\" includes invalid characters for a local volume name, "
                    + "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
        try makeVolume(name)
    }

    /// Makes the directory of a volume whose name is right, unless it is there.
    private func makeVolume(_ name: String) throws(RuntimeError) {
        let isNew = creationTime(name) == nil
        try make(path(name))
        if isNew { report("create", name) }
    }

    private func report(_ action: String, _ name: String) {
        try? store.record([StoreEvent(.volume, action, of: name, ["driver": "local"])])
    }

    /// When a volume was made, which is when its directory was; nil where there is no such volume.
    public func creationTime(_ name: String) -> Timestamp? {
        guard Volumes.isName(name),
            let status = try? FileDescriptor.currentDirectory.status(of: path(name)), status.isDirectory
        else { return nil }
        let time = status.birthTime.seconds == 0 ? status.modificationTime : status.birthTime
        return Timestamp(seconds: time.seconds)
    }

    /// Removes a volume and its files. One that does not exist is no error.
    public func remove(_ name: String) throws(RuntimeError) {
        guard Volumes.isName(name) else { return }
        let isThere = creationTime(name) != nil
        try attempting("remove volume \(name)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.removeTree(path(name))
        }
        if isThere { report("destroy", name) }
    }

    /// The mounts for a container's volumes. A volume that does not exist is made, and a host directory too, as Docker
    /// does for `-v`.
    ///
    /// - Parameter rootfs: the mounted root file system; a new volume starts with what the image has at its place.
    func prepare(_ volumes: [VolumeMount], rootfs: String) throws(RuntimeError) -> [RuntimeSpecification.Mount] {
        var mounts: [RuntimeSpecification.Mount] = []
        for volume in volumes {
            let source: String
            switch volume.source {
            case .host(let path):
                source = path
                try make(path)
            case .named(let name), .anonymous(let name):
                source = path(name)
                try makeVolume(name)
                try fill(source, from: volume.destination, in: rootfs)
            }
            mounts.append(.bind(source, at: volume.destination, readOnly: volume.readOnly))
        }
        return mounts
    }

    /// The mounts as they will be, for finding out which places they need; see `prepare`.
    func mounts(_ volumes: [VolumeMount]) -> [RuntimeSpecification.Mount] {
        volumes.map { volume in
            let source: String
            switch volume.source {
            case .host(let path): source = path
            case .named(let name), .anonymous(let name): source = path(name)
            }
            return .bind(source, at: volume.destination, readOnly: volume.readOnly)
        }
    }

    private func make(_ path: String) throws(RuntimeError) {
        var partial = ""
        for name in path.split(separator: "/") {
            partial += "/" + name
            do throws(Errno) {
                // Containers see the mode, that of a host's directory too: no umask of the caller's counts.
                let mode: UInt32 = partial == directory ? 0o700 : 0o755
                try FileDescriptor.currentDirectory.makeDirectory(partial, exactMode: mode)
            } catch {
                if error == .EEXIST || error == .EROFS || error == .ENOTDIR { continue }
                throw RuntimeError("create \(path)", error)
            }
        }
        do throws(Errno) {
            _ = try FileDescriptor.currentDirectory.status(of: path, followSymlinks: true)
        } catch {
            throw RuntimeError("use \(path) as a volume", error)
        }
    }

    /// Copies what the image has at a place into an empty volume, owners and attributes included.
    private func fill(_ volume: String, from place: String, in rootfs: String) throws(RuntimeError) {
        let isEmpty = try attempting("list \(volume)") { () throws(Errno) in
            try FileDescriptor.open(volume, .directory).sortedEntryNames().isEmpty
        }
        guard isEmpty else { return }
        // Resolved inside the image: a link there must not lead to the host's files.
        guard let root = try? FileDescriptor.open(rootfs, [.directory, .path]),
            let source = try? OpenDirectory(root.open(String(place.dropFirst()), .directory, resolve: .inRoot))
        else { return }
        try attempting("copy \(place) of the image into a volume") { () throws(Errno) in
            try FileCopier(.all, isLenient: true).copyTree(source, to: try OpenDirectory(path: volume))
        }
    }
}
