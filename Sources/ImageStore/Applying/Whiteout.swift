import Linux

/// A name that says something is gone; image-spec, "Image Layer Filesystem Changeset", "Whiteouts".
enum Whiteout: Equatable {
    /// `.wh..wh..opq`: nothing below shows through this directory.
    case opaque
    /// `.wh.NAME`: that name, with its terminating zero, hides what lies below.
    case name([CChar])
    /// Other names that begin with `.wh..wh.` belong to AUFS and mean nothing to anybody else.
    case reserved

    private static let prefix = WhiteoutName.prefixBytes.map { CChar(bitPattern: $0) }
    private static let opaqueName = WhiteoutName.opaqueBytes.map { CChar(bitPattern: $0) }

    /// Nil for an ordinary name; `name` comes with its terminating zero.
    init?(_ name: [CChar]) {
        guard name.starts(with: Whiteout.prefix) else { return nil }
        let rest = Array(name.dropFirst(Whiteout.prefix.count))
        if rest.starts(with: Whiteout.prefix) {
            let isOpaque = name.dropLast().elementsEqual(Whiteout.opaqueName)
            self = isOpaque ? .opaque : .reserved
        } else {
            self = .name(rest)
        }
    }
}
