import OCI

/// A name in an archive, taken apart: never absolute, never out of it.
package struct ArchivePath: Hashable {
    /// The components, each with a terminating zero. Empty for the root itself.
    package var components: [[CChar]]

    /// Takes a name apart; a leading slash and `.` are dropped, and `..` drops what is before it, whatever that is in the
    /// tree: as Go's `path.Clean` does, by which other tools read layers. Throws `badArchive` for what leads out.
    package init(_ name: [UInt8]) throws(ArchiveError) {
        components = []
        for part in name.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                if components.popLast() != nil { continue }
                throw ArchiveError(
                    .badArchive,
                    "the archive cannot be used: the name \(String(decoding: name.prefix(200), as: UTF8.self)) leads out of it"
                )
            }
            components.append(part.map { CChar(bitPattern: $0) } + [0])
        }
        if components.count > 4096 {
            throw ArchiveError(.badArchive, "the archive cannot be used: a name has more than 4096 components")
        }
    }

    /// The last component; nil for the root.
    package var name: [CChar]? { components.last }
}

extension ArchivePath: CustomStringConvertible {
    /// The directory that everything is in.
    package static var root: ArchivePath { ArchivePath() }

    private init() { components = [] }

    /// The whole path with a terminating zero.
    package var path: [CChar] { ArchivePath.joined(components[...]) }

    /// The directory it is in as one path with a terminating zero; empty (only the zero) for the root.
    package var parent: [CChar] { ArchivePath.joined(components.dropLast()) }

    private static func joined(_ components: ArraySlice<[CChar]>) -> [CChar] {
        var path: [CChar] = []
        for component in components {
            if !path.isEmpty { path.append(CChar(bitPattern: UInt8(ascii: "/"))) }
            path.append(contentsOf: component.dropLast())
        }
        path.append(0)
        return path
    }

    /// The path for messages; bytes that are not UTF-8 are replaced.
    package var description: String {
        String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
