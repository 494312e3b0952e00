/// The extended attributes in which an overlay keeps its notes on files: the kernel's
/// Documentation/filesystems/overlayfs.rst, "Non-directories", "redirect_dir", "Metadata only copy up", "User xattr",
/// "Nested overlayfs mounts".
///
/// An overlay keeps its notes under one prefix, and what programs store under that prefix under a longer one. So who
/// reads what an overlay wrote, or writes what one will read, has to know which prefix that overlay uses: everything
/// under another one is data.
public enum OverlayMarks: String, Hashable, Sendable {
    /// `trusted.overlay.`: only root of the machine can write such attributes.
    case trusted
    /// `user.overlay.`: of overlays whose owner may not write the others. Whoever may write a file may write them, so
    /// they count only where every write goes through the overlay.
    case user

    /// What a note says.
    public enum Mark: String, Hashable, Sendable, CaseIterable {
        /// With the value `y`: the directory hides what lies below it.
        case opaque
        /// Where the directory, or the data of the file, is in the layers below; see `OverlayRedirect`.
        case redirect
        /// The file, which is empty, stands for a whiteout; only in a directory whose `opaque` has the value `x` (kernel 6.7).
        case whiteout
        /// The handle of the file that this one is a copy of.
        case origin
        /// The file holds its attributes only.
        case metacopy
        /// The directory holds files that were copied up or moved.
        case impure
        /// How the number of the file's links differs from the one on disk.
        case linkCount = "nlink"
        /// Of our union alone: inode number and link count of the origin, where handles cannot be opened.
        case number = "inode"
    }

    /// What all names of notes begin with.
    public var prefix: StaticString {
        switch self {
        case .trusted: "trusted.overlay."
        case .user: "user.overlay."
        }
    }

    /// What all names begin with that the overlay keeps for programs whose own begin with `prefix`.
    public var escapedPrefix: StaticString {
        switch self {
        case .trusted: "trusted.overlay.overlay."
        case .user: "user.overlay.overlay."
        }
    }

    private static let escape: StaticString = "overlay."

    /// The name of a note as a literal.
    public func literal(_ mark: Mark) -> StaticString {
        switch (self, mark) {
        case (.trusted, .opaque): "trusted.overlay.opaque"
        case (.trusted, .redirect): "trusted.overlay.redirect"
        case (.trusted, .whiteout): "trusted.overlay.whiteout"
        case (.trusted, .origin): "trusted.overlay.origin"
        case (.trusted, .metacopy): "trusted.overlay.metacopy"
        case (.trusted, .impure): "trusted.overlay.impure"
        case (.trusted, .linkCount): "trusted.overlay.nlink"
        case (.trusted, .number): "trusted.overlay.inode"
        case (.user, .opaque): "user.overlay.opaque"
        case (.user, .redirect): "user.overlay.redirect"
        case (.user, .whiteout): "user.overlay.whiteout"
        case (.user, .origin): "user.overlay.origin"
        case (.user, .metacopy): "user.overlay.metacopy"
        case (.user, .impure): "user.overlay.impure"
        case (.user, .linkCount): "user.overlay.nlink"
        case (.user, .number): "user.overlay.inode"
        }
    }

    /// The name of a note, with its terminating zero.
    public func name(_ mark: Mark) -> [CChar] {
        (self == .trusted ? Self.trustedNames : Self.userNames)[mark] ?? encoded(mark)
    }

    /// The names are asked for at every file: each is made once.
    private static let trustedNames = names(of: .trusted)
    private static let userNames = names(of: .user)

    private static func names(of marks: OverlayMarks) -> [Mark: [CChar]] {
        Dictionary(uniqueKeysWithValues: Mark.allCases.map { ($0, marks.encoded($0)) })
    }

    private func encoded(_ mark: Mark) -> [CChar] {
        literal(mark).withUTF8Buffer { $0.map { CChar(bitPattern: $0) } } + [0]
    }

    /// Whether an attribute, by its name with or without the zero, is a note of the overlay and not a program's.
    public func isMark(_ name: [CChar]) -> Bool {
        rest(of: name).map { !Self.starts($0, with: Self.escape) } ?? false
    }

    /// The name under which the overlay keeps an attribute that a program calls `name`.
    public func stored(_ name: [CChar]) -> [CChar] {
        guard let rest = rest(of: name) else { return name }
        return escapedPrefix.withUTF8Buffer { $0.map { CChar(bitPattern: $0) } } + rest
    }

    /// What programs call an attribute that the overlay keeps as `name`; nil for its own notes.
    public func shown(_ name: [CChar]) -> [CChar]? {
        guard let rest = rest(of: name) else { return name }
        guard Self.starts(rest, with: Self.escape) else { return nil }
        return Array(name[..<rest.startIndex]) + rest.dropFirst(Self.escape.utf8CodeUnitCount)
    }

    /// What follows the prefix; nil for any other name.
    private func rest(of name: [CChar]) -> ArraySlice<CChar>? {
        Self.starts(name[...], with: prefix) ? name.dropFirst(prefix.utf8CodeUnitCount) : nil
    }

    private static func starts(_ name: ArraySlice<CChar>, with text: StaticString) -> Bool {
        text.withUTF8Buffer { text in name.starts(with: text) { UInt8(bitPattern: $0) == $1 } }
    }
}

/// Names that begin with `.wh.` say in archives of layers, and in the layers of AUFS and of an unprivileged
/// fuse-overlayfs, that something is gone; image-spec, "Image Layer Filesystem Changeset", "Whiteouts".
public enum WhiteoutName {
    /// What all such names begin with; before the name of a file it hides that file.
    public static let prefix: StaticString = ".wh."
    /// Hides everything that the directory has below.
    public static let opaque: StaticString = ".wh..wh..opq"
    /// One of the names that AUFS has for itself and that mean nothing to anybody else.
    public static let reserved: StaticString = ".wh..wh.new"
    /// `prefix` as bytes, without a zero.
    public static let prefixBytes = prefix.withUTF8Buffer { Array($0) }
    /// `opaque` as bytes, without a zero.
    public static let opaqueBytes = opaque.withUTF8Buffer { Array($0) }
}

/// The value of the note `redirect`: where the other half of a directory, or the data of a file, is in the layers below.
///
/// The one place where such a value is taken apart. It is hostile input: no part of it may lead out of a layer.
public enum OverlayRedirect: Equatable, Sendable {
    /// A name in the directory that the file's own directory is merged with.
    case name([UInt8])
    /// The names of a path from the root of the layers; at least one.
    case path([[UInt8]])

    /// The longest name that a directory can hold (NAME_MAX).
    private static let longestName = 255

    /// Takes a value apart; nil for an empty one, which says nothing.
    ///
    /// - Throws: EIO for a value that no overlay writes: with a name that is empty, `.` or `..`, too long, or holds a
    ///   slash or a zero.
    public init?(_ value: [UInt8]) throws(Errno) {
        guard let first = value.first else { return nil }
        let slash = UInt8(ascii: "/")
        guard first == slash else {
            guard Self.isName(value) else { throw .EIO }
            self = .name(value)
            return
        }
        let names = value.dropFirst().split(separator: slash, omittingEmptySubsequences: false).map { Array($0) }
        guard names.allSatisfy(Self.isName) else { throw .EIO }
        self = .path(names)
    }

    private static func isName(_ name: [UInt8]) -> Bool {
        if name.isEmpty || name.count > longestName { return false }
        if name == [0x2E] || name == [0x2E, 0x2E] { return false }
        return !name.contains(0) && !name.contains(UInt8(ascii: "/"))
    }
}
