import Linux

/// One entry of a tar archive. Names are bytes.
struct TarEntry {
    enum Kind: Hashable {
        case file, hardLink, symbolicLink, characterDevice, blockDevice, directory, fifo
    }

    var kind: Kind
    /// The name as the archive has it, slashes and all.
    var path: [UInt8]
    /// What a link leads to.
    var target: [UInt8]
    var permissions: UInt32
    var uid: UInt32
    var gid: UInt32
    var modificationTime: TimeSpec
    /// The size of the file, holes included.
    var size: Int64
    /// Bytes of content in the archive.
    var storedSize: Int64
    /// Where the content goes when there are holes; nil where it is in one piece.
    var extents: [Extent]?
    var deviceMajor: UInt32
    var deviceMinor: UInt32
    /// Extended attributes in the order of the archive; ACLs are among them in the kernel's form.
    var attributes: [Attribute]

    /// A run of content at an offset in the file.
    struct Extent: Hashable {
        var offset: Int64
        var length: Int64
    }

    struct Attribute: Hashable {
        var name: [UInt8]
        var value: [UInt8]
    }

    /// The name for messages, which it must not fill.
    var printablePath: String { String(decoding: path.prefix(200), as: UTF8.self) + (path.count > 200 ? "…" : "") }

    /// Extended attributes but for ACLs.
    var plainAttributes: [Attribute] { attributes.filter { !AccessList.isAccessList($0.name) } }

    /// ACLs. They go together with the mode, and say more than it: they are set after it.
    var accessLists: [Attribute] { attributes.filter { AccessList.isAccessList($0.name) } }
}
