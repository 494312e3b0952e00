@testable import ImageStore
import TestSupport

/// Makes notes as an overlay keeps them, and what looks like some.
struct MarkSource {
    /// An extended attribute; its name comes with the terminating zero.
    struct Mark {
        var name: [CChar]
        var value: [UInt8]
    }

    /// A directory of the host that no note may lead to, and the name of a file in it.
    let secret: String
    let secretName: String
    /// Notes `origin` of files of the host, and of files in a layer.
    let notes: [[UInt8]]
    let layerNotes: [[UInt8]]

    private static let prefixes = [
        "user.overlay.", "user.overlay.overlay.", "user.fuseoverlayfs.", "trusted.overlay.", "trusted.overlay.overlay.",
        "user.overlayfs.", "user.containers.", "trusted.fuseoverlayfs.", "trusted.overlay", "user.",
    ]
    private static let suffixes = [
        "opaque", "redirect", "metacopy", "origin", "whiteout", "impure", "nlink", "inode", "upper", "uuid", "protattr",
        "xattr", "overlay.opaque", "override_stat", "xattr.user.a",
    ]

    /// One to three notes for one file.
    ///
    /// - Parameters:
    ///   - names: what is near the file.
    ///   - prefix: the prefix that most have; a random one without it.
    ///   - hostile: how many of a hundred values are to lead out of the layers.
    func marks(
        near names: [String], prefix: String? = nil, hostile: Int = 60, _ random: inout Mutator
    ) -> [Mark] {
        let prefix = prefix != nil && !random.chance(oneIn: 6) ? prefix ?? "" : random.pick(Self.prefixes)
        func mark(_ suffix: String, _ value: [UInt8]) -> Mark {
            Mark(name: cString(Array((prefix + suffix).utf8)), value: value)
        }
        let isHostile = Int.random(in: 0..<100, using: &random) < hostile
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1: return [mark("redirect", path(near: names, isHostile, &random))]
        case 2: return [mark("metacopy", []), mark("redirect", path(near: names, isHostile, &random, ofFile: true))]
        case 3: return [mark("metacopy", []), mark("origin", note(isHostile, &random))]
        case 4: return [mark("opaque", Array("y".utf8)), mark("redirect", path(near: names, isHostile, &random))]
        case 5: return [mark("opaque", Array("y".utf8))]
        case 6:
            return [mark("origin", note(isHostile, &random)), mark("nlink", Array("U+3".utf8)), mark("metacopy", [])]
        case 7 where isHostile: return [Mark(name: randomName(prefix, &random), value: value(near: names, &random))]
        default:
            return [mark(random.pick(Self.suffixes), value(near: names, &random))]
        }
    }

    private func note(_ isHostile: Bool, _ random: inout Mutator) -> [UInt8] {
        var note = random.pick(isHostile ? notes : layerNotes)
        if random.chance(oneIn: 8) { note[Int.random(in: 0..<note.count, using: &random)] ^= 1 }
        return note
    }

    /// A way to somewhere in the layers, or out of them.
    private func path(
        near names: [String], _ isHostile: Bool, _ random: inout Mutator, ofFile: Bool = false
    ) -> [UInt8] {
        let name = random.pick(names)
        let target = ofFile ? "\(secret)/\(secretName)" : secret
        guard isHostile else {
            let places = ["/a", "/a/b", "/d", "/f/g", "/a/one", "/a/b/c/in", "/big", "/hard", name, "/" + name]
            return Array(random.pick(places).utf8)
        }
        let up = String(repeating: "../", count: Int.random(in: 1...14, using: &random))
        let ways = [
            target, up + target.dropFirst(), "/" + up + target.dropFirst(), "/\(target)", "..", ".", "/..", "/.", "/",
            "\(name)/..", "/\(name)/\(up)\(target)", "./\(name)", "\(name)/", "/a//b", "a/b", "/a/../..", "\(target)\0",
            "/a\0/b",
        ]
        return Array(random.pick(ways).utf8)
    }

    private func value(near names: [String], _ random: inout Mutator) -> [UInt8] {
        switch Int.random(in: 0..<13, using: &random) {
        case 0, 1: Array("y".utf8)
        case 2: []
        case 3: Array("x".utf8)
        case 4: Array("U+\(random.next() & 7)".utf8)
        case 5: Array("0 0 755 dir".utf8)
        case 6: [0, 0x79, 0]
        case 7: note(true, &random)
        case 8: note(false, &random)
        case 9: path(near: names, false, &random)
        case 10 where random.chance(oneIn: 6): [UInt8](repeating: 0x2F, count: Int(random.next() % 500))
        case 11: (0..<random.next() % 30).map { _ in UInt8.random(in: 0...255, using: &random) }
        default: path(near: names, true, &random)
        }
    }

    /// A name with any bytes in it.
    private func randomName(_ prefix: String, _ random: inout Mutator) -> [CChar] {
        let rest = (0..<1 + random.next() % 12).map { _ in UInt8.random(in: 1...255, using: &random) }
        return cString(Array(prefix.utf8) + rest)
    }
}
