/// The extended attributes in which overlay file systems keep their own notes. They say something about a directory in
/// its stack, not about the file, so they never enter an archive nor come out of one.
enum OverlayAttribute {
    static let opaque = "trusted.overlay.opaque"
    static let userOpaque = "user.overlay.opaque"
    static let redirect = "trusted.overlay.redirect"
    static let userRedirect = "user.overlay.redirect"
    static let origin = "trusted.overlay.origin"
    static let userOrigin = "user.overlay.origin"
    static let metacopy = "trusted.overlay.metacopy"
    static let userMetacopy = "user.overlay.metacopy"
    static let whiteout = "trusted.overlay.whiteout"
    static let userWhiteout = "user.overlay.whiteout"

    /// Those that say of a file that its data are below, and where.
    static let references = [metacopy, userMetacopy, redirect, userRedirect]

    private static let prefixes = [Array("trusted.overlay.".utf8), Array("user.overlay.".utf8)]

    /// Whether a name, with or without a terminating zero, is one of an overlay's.
    static func isOverlay(_ name: [CChar]) -> Bool {
        prefixes.contains { prefix in
            name.count >= prefix.count && zip(name, prefix).allSatisfy { UInt8(bitPattern: $0) == $1 }
        }
    }

    /// As above, for a name as bytes.
    static func isOverlay(_ name: some Collection<UInt8>) -> Bool {
        prefixes.contains { name.starts(with: $0) }
    }

    /// Whether a name is that of an opaque mark.
    static func isOpaque(_ name: [UInt8]) -> Bool {
        name.elementsEqual(opaque.utf8) || name.elementsEqual(userOpaque.utf8)
    }

    /// Whether a name is that of a whiteout mark.
    static func isWhiteout(_ name: [UInt8]) -> Bool {
        name.elementsEqual(whiteout.utf8) || name.elementsEqual(userWhiteout.utf8)
    }
}
