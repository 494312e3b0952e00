package import Linux

/// One entry of a tar archive. Names are bytes.
package struct TarEntry {
    package enum Kind: Hashable {
        case file, hardLink, symbolicLink, characterDevice, blockDevice, directory, fifo
    }

    package var kind: Kind
    /// The name as the archive has it, slashes and all.
    package var path: [UInt8]
    /// What a link leads to.
    package var target: [UInt8]
    package var permissions: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var modificationTime: TimeSpec
    /// The size of the file, holes included.
    package var size: Int64
    /// Bytes of content in the archive.
    package var storedSize: Int64
    /// Where the content goes when there are holes; nil where it is in one piece.
    package var extents: [Extent]?
    package var deviceMajor: UInt32
    package var deviceMinor: UInt32
    /// Extended attributes in the order of the archive; ACLs are among them in the kernel's form.
    package var attributes: [Attribute]

    /// A run of content at an offset in the file.
    package struct Extent: Hashable {
        package var offset: Int64
        package var length: Int64
    }

    /// An extended attribute.
    package struct Attribute: Hashable {
        package var name: [UInt8]
        package var value: [UInt8]

        /// Puts a name and a value together.
        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// The name for messages, which it must not fill.
    package var printablePath: String {
        String(decoding: path.prefix(200), as: UTF8.self) + (path.count > 200 ? "…" : "")
    }

    /// Extended attributes but for ACLs.
    package var plainAttributes: [Attribute] { attributes.filter { !AccessList.isAccessList($0.name) } }

    /// ACLs. They go together with the mode, and say more than it: they are set after it.
    package var accessLists: [Attribute] { attributes.filter { AccessList.isAccessList($0.name) } }
}
