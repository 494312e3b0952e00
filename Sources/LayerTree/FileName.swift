import Linux

/// One name of a path: bytes, as the kernel has them, with the terminating zero that system calls want.
package struct FileName: Hashable, Sendable, Comparable {
    /// The bytes and a zero.
    package let cString: [CChar]

    /// Takes bytes that end with their zero.
    package init(cString: [CChar]) { self.cString = cString }

    /// Takes bytes without a zero; what follows a zero within them is lost.
    package init(_ bytes: some Sequence<UInt8>) {
        cString = bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
    }

    package init(_ text: String) { self.init(text.utf8) }

    /// The bytes without the zero.
    package var bytes: [UInt8] { cString.dropLast().map { UInt8(bitPattern: $0) } }

    package var isEmpty: Bool { cString.count <= 1 }

    /// Whether the name would be a whiteout in a layer's archive; image-spec, "Whiteouts".
    package var isWhiteoutMarker: Bool { bytes.starts(with: WhiteoutName.prefixBytes) }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Orders bytewise, as unsigned numbers.
    package static func < (left: FileName, right: FileName) -> Bool {
        left.cString.lexicographicallyPrecedes(right.cString) { UInt8(bitPattern: $0) < UInt8(bitPattern: $1) }
    }
}

/// Paths below the root of some tree, as lists of names.
package enum TreePath {
    /// The names of a path, without empty ones and `.`; `..` stays.
    package static func names(_ path: some Collection<UInt8>) -> [FileName] {
        path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }.map { FileName($0) }
    }

    package static func names(_ path: String) -> [FileName] { names(Array(path.utf8)) }

    /// The path as bytes, names separated by slashes, none at either end.
    package static func bytes(_ names: some Sequence<FileName>) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in names {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
            bytes.append(contentsOf: name.bytes)
        }
        return bytes
    }

    /// The path for messages, absolute.
    package static func text(_ names: some Sequence<FileName>) -> String {
        "/" + String(decoding: bytes(names), as: UTF8.self)
    }

    package static let parent = FileName("..")

    /// The names without `..`: each takes the name before it away. Nil if one leads out at the front.
    package static func normalized(_ names: [FileName], clampingAtRoot clamps: Bool) -> [FileName]? {
        var result: [FileName] = []
        for name in names {
            if name != parent {
                result.append(name)
            } else if result.popLast() == nil, !clamps {
                return nil
            }
        }
        return result
    }
}
