import OCI

/// The files that went into a digest, in a compact form: enough to say later which of them differ.
///
/// Each file takes the part of its path that the one before did not have, and twelve bytes.
struct FileManifest: Sendable {
    /// What is known of one file.
    struct Entry: Hashable {
        /// Of type, permissions, owner and attributes.
        var properties: UInt32
        /// Of its data, or where a link leads.
        var content: UInt64
    }

    /// Beyond this no further files are recorded.
    private static let limit = 4 << 20

    /// The form that is stored.
    private(set) var bytes: [UInt8] = []
    private var last: [UInt8] = []
    /// The path below which files are added; empty for the root.
    var directory: [UInt8] = []

    init() {}

    /// Takes the form that was stored; what is damaged is as good as empty.
    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Whether files are missing because there were too many.
    var isCut: Bool { bytes.count >= Self.limit }

    /// Adds a file of the current directory.
    mutating func add(_ name: some Sequence<UInt8>, _ entry: Entry) {
        if isCut { return }
        var path = directory
        if !path.isEmpty { path.append(UInt8(ascii: "/")) }
        path.append(contentsOf: name)
        var shared = 0
        while shared < min(path.count, last.count, 0xffff), path[shared] == last[shared] { shared += 1 }
        let rest = path[shared...].prefix(0xffff)
        append(UInt64(shared), 2)
        append(UInt64(rest.count), 2)
        bytes.append(contentsOf: rest)
        append(UInt64(entry.properties), 4)
        append(entry.content, 8)
        last = path
    }

    private mutating func append(_ number: UInt64, _ count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
    }

    /// The files by their paths.
    func entries() -> [[UInt8]: Entry] {
        var result: [[UInt8]: Entry] = [:]
        var rest = bytes[...]
        var path: [UInt8] = []
        func number(_ count: Int) -> UInt64? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        while let shared = number(2), let count = number(2), rest.count >= Int(count), path.count >= Int(shared) {
            path = Array(path.prefix(Int(shared)) + rest.prefix(Int(count)))
            rest = rest.dropFirst(Int(count))
            guard let properties = number(4), let content = number(8) else { break }
            result[path] = Entry(properties: UInt32(truncatingIfNeeded: properties), content: content)
        }
        return result
    }

    /// What differs from an earlier one, a sentence for each file, by path.
    func differences(from earlier: FileManifest) -> [String] {
        let (old, new) = (earlier.entries(), entries())
        var changes: [(path: [UInt8], what: String)] = []
        for (path, entry) in new {
            guard let before = old[path] else {
                if !earlier.isCut { changes.append((path, "is new")) }
                continue
            }
            if before.content != entry.content { changes.append((path, "has other content")) }
            if before.content == entry.content, before.properties != entry.properties {
                changes.append((path, "has another mode, owner or attribute"))
            }
        }
        if !isCut {
            for path in old.keys where new[path] == nil { changes.append((path, "is not there any more")) }
        }
        return changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
            .map { "the file \(String(decoding: $0.path, as: UTF8.self)) \($0.what)" }
    }
}

/// FNV-1a, for telling values apart that nobody chooses.
struct ShortHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    mutating func add(_ number: UInt64) { value = (value ^ number) &* 0x100_0000_01b3 }

    /// The value in half the size.
    var half: UInt32 { UInt32(truncatingIfNeeded: value ^ value >> 32) }
}
