import LayerTree
import Linux
import OCI

/// Hashes what a `COPY` takes: names, types, permissions and owners as they will be written, link targets, devices,
/// extended attributes and contents. Times do not count: touching a file changes nothing.
struct ContentDigest {
    private var tree: SourceTree
    private let rules: CopyRules
    private let files: FileDigests
    private let checkpoint: () throws(BuildError) -> Void
    private var hasher = KeyHasher("content")
    /// The files that were hashed.
    private(set) var manifest = FileManifest()
    /// Files with several links, numbered as they come: which names belong together is part of the content.
    private var linked: [FileIdentity: UInt64] = [:]

    init(
        tree: SourceTree, rules: CopyRules, files: FileDigests, checkpoint: @escaping () throws(BuildError) -> Void
    ) {
        self.tree = tree
        self.rules = rules
        self.files = files
        self.checkpoint = checkpoint
    }

    /// Takes a source into account: its files under the names that they will have.
    mutating func add(_ source: SelectedSource) throws(BuildError) {
        if let known = source.digest {
            hasher.add("fetched")
            hasher.add(source.name.bytes)
            hasher.add(known.hex)
            note(source.name.bytes, content: known.hex.utf8)
            return
        }
        tree = source.tree
        let text = TreePath.text(source.location.path)
        if let entry = source.location.entry, !entry.status.isDirectory {
            hasher.add("file")
            hasher.add(source.name.bytes)
            manifest.directory = TreePath.bytes(source.location.path.dropLast())
            try add(entry, in: source.location.parent, path: source.path, source: source.prefixLength, text)
        } else {
            hasher.add("contents")
            manifest.directory = TreePath.bytes(source.location.path)
            let directory = try attempting("open \(text)") { () throws(Errno) in try source.location.open() }
            try addContents(of: directory, path: source.path, source: source.prefixLength, text)
        }
    }

    /// Takes a text that becomes a file.
    mutating func add(heredoc name: String, _ content: String) {
        hasher.add("heredoc")
        hasher.add(name)
        hasher.add(content)
        note("<<\(name)".utf8, content: content.utf8)
    }

    private mutating func note(_ name: some Sequence<UInt8>, content: some Sequence<UInt8>) {
        var hash = ShortHash()
        hash.add(content)
        manifest.directory = []
        manifest.add(name, FileManifest.Entry(properties: 0, content: hash.value))
    }

    /// Takes the digest of something hashed elsewhere.
    mutating func add(_ digest: Digest) { hasher.add(digest.hex) }

    mutating func finish() -> Digest { hasher.finish() }

    private mutating func addContents(
        of directory: TreeDirectory, path: [UInt8], source: Int, _ text: String
    ) throws(BuildError) {
        let entries = try attempting("read \(text)") { () throws(Errno) in
            try tree.entries(of: directory, path: path, source: source)
        }
        hasher.add(UInt64(entries.count))
        for (entry, below) in entries {
            try checkpoint()
            hasher.add(entry.name.cString.dropLast().lazy.map { UInt8(bitPattern: $0) })
            try add(entry, in: directory, path: below, source: source, text)
        }
    }

    private mutating func add(
        _ entry: TreeEntry, in directory: TreeDirectory, path: [UInt8], source: Int, _ text: String
    ) throws(BuildError) {
        let status = entry.status
        let owner = rules.owner(of: status)
        hasher.add(UInt64(status.type.rawValue | rules.permissions(of: status)))
        hasher.add(UInt64(owner.uid) << 32 | UInt64(owner.gid))
        var (properties, content) = (ShortHash(), ShortHash())
        properties.add(UInt64(status.type.rawValue | rules.permissions(of: status)))
        properties.add(UInt64(owner.uid) << 32 | UInt64(owner.gid))
        // Noted before what is below it.
        defer {
            if !status.isDirectory {
                let known = FileManifest.Entry(properties: properties.half, content: content.value)
                manifest.add(entry.name.bytes, known)
            }
        }
        // What the error names is the directory's path, which is enough to find the file.
        let attempt = "read \(text)/\(entry.name.text)"
        let hasAttributes = try addAttributes(of: entry, in: directory, to: &properties, attempt)
        if status.linkCount > 1, !status.isDirectory {
            let identity = FileIdentity(status)
            if let number = linked[identity] {
                hasher.add(number + 1)
                content.add(number + 1)
                return
            }
            linked[identity] = UInt64(linked.count)
        }
        hasher.add(UInt64(0))
        switch status.type {
        case .regular:
            let digest = try attempting(attempt) { () throws(Errno) in
                try files.digest(of: entry, in: directory, hasAttributes: hasAttributes)
            }
            for word in digest.words { hasher.add(word) }
            content.add(digest.first)
        case .symbolicLink:
            let target = try attempting(attempt) { () throws(Errno) in try directory.readLink(entry) }
            hasher.add(target)
            content.add(target)
        case .directory:
            let below = try attempting(attempt) { () throws(Errno) in try directory.open(entry) }
            manifest.add(
                entry.name.bytes, FileManifest.Entry(properties: properties.half, content: content.value))
            let outer = manifest.directory
            manifest.directory += (outer.isEmpty ? [] : [UInt8(ascii: "/")]) + entry.name.bytes
            try addContents(of: below, path: path, source: source, "\(text)/\(entry.name.text)")
            manifest.directory = outer
        case .characterDevice, .blockDevice:
            hasher.add(status.rawDevice)
            content.add(status.rawDevice)
        case .fifo, .socket: break
        }
    }

    /// Adds extended attributes, without reading them where it is known that there are none; returns whether there are.
    private mutating func addAttributes(
        of entry: TreeEntry, in directory: TreeDirectory, to properties: inout ShortHash, _ attempt: String
    ) throws(BuildError) -> Bool {
        if entry.status.isRegular, files.known(entry.status)?.hasAttributes == false {
            hasher.add(UInt64(0))
            return false
        }
        let attributes = try attempting(attempt) { () throws(Errno) in try directory.attributes(entry) }
        hasher.add(UInt64(attributes.count))
        for attribute in attributes {
            hasher.add(attribute.name.lazy.map { UInt8(bitPattern: $0) })
            hasher.add(attribute.value)
            properties.add(attribute.name.lazy.map { UInt8(bitPattern: $0) })
            properties.add(attribute.value)
        }
        return !attributes.isEmpty
    }
}
