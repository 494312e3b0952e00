import Archive
import LayerTree
import Linux
import OCI

/// One pass over a layer's tree that writes its archive.
final class LayerWalk {
    /// How the overlay that the tree belongs to keeps its notes; nil for a tree as programs see it.
    private let marks: OverlayMarks?
    private var output: TarOutput<StoreError>
    private var usage = UsageCounter()
    /// First names of files that have several.
    private var firstNames: [FileIdentity: [UInt8]] = [:]
    private(set) var entryCount = 0
    /// Told of each file's content in the place of its bytes: path, position in the archive, length.
    private let reference: ((_ path: [UInt8], _ position: Int64, _ length: Int64) -> Void)?
    private var referenced: Int64 = 0

    /// - Parameter reference: told of each file's content; contents are not read then, and not passed to `sink`.
    init(
        marks: OverlayMarks?,
        reference: ((_ path: [UInt8], _ position: Int64, _ length: Int64) -> Void)? = nil,
        sink: @escaping TarOutput<StoreError>.Sink
    ) {
        self.marks = marks
        self.reference = reference
        output = TarOutput(sink: sink)
    }

    var archiveSize: Int64 { output.byteCount + referenced }
    var diskUsage: Int64 { usage.bytes }

    func run(_ path: String) throws(StoreError) {
        let root = try attempting("read \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.directory])
        }
        try writeRoot(root, path)
        try writeChildren(of: root, at: [])
        try output.putZeros(1024)
        try output.flush()
    }

    private func writeRoot(_ root: borrowing FileDescriptor, _ path: String) throws(StoreError) {
        let (status, attributes) = try attempting("read \(path)") { () throws(Errno) in
            (try root.status(), try FileAttributes(of: root, marks: marks))
        }
        usage.add(status)
        if status.permissions != 0o755 || status.uid != 0 || status.gid != 0 || !attributes.archived.isEmpty {
            try output.put(
                TarHeaderWriter(
                    typeFlag: UInt8(ascii: "5"), path: Array("./".utf8), permissions: status.permissions,
                    uid: status.uid, gid: status.gid, attributes: attributes.archived
                ).encoded())
        }
        if attributes.isOpaque { try writeMarker(WhiteoutName.opaqueBytes) }
    }

    private func writeChildren(of directory: borrowing FileDescriptor, at path: [UInt8]) throws(StoreError) {
        let names = try reading(path) { () throws(Errno) in try directory.sortedEntryNames() }
        for name in names {
            try writeEntry(name, in: directory, at: path + name.dropLast().map { UInt8(bitPattern: $0) })
        }
    }

    private func writeEntry(
        _ name: [CChar], in directory: borrowing FileDescriptor, at path: [UInt8]
    ) throws(StoreError) {
        let status = try reading(path) { () throws(Errno) in try directory.status(of: name) }
        entryCount += 1
        let isNew = usage.add(status)
        if marks != nil && status.isWhiteout {
            try writeMarker(LayerWalk.whiteoutPath(path))
            return
        }
        if marks != nil && Whiteout(name) != nil {
            throw StoreError(
                .badName,
                "\(String(decoding: path, as: UTF8.self)) cannot be part of a layer: names that begin with .wh. are whiteouts there"
            )
        }
        var header = TarHeaderWriter(
            typeFlag: UInt8(ascii: "0"), path: path, permissions: status.permissions, uid: status.uid,
            gid: status.gid, modificationTime: status.modificationTime)
        if !status.isDirectory, status.linkCount > 1 {
            let identity = FileIdentity(status)
            if !isNew, let first = firstNames[identity] {
                header.typeFlag = UInt8(ascii: "1")
                header.target = first
                try output.put(header.encoded())
                return
            }
            firstNames[identity] = path
        }
        switch status.type {
        case .directory: try writeDirectory(name, in: directory, header)
        case .regular: try writeFile(name, in: directory, status, header)
        case .socket: entryCount -= 1
        case .symbolicLink, .characterDevice, .blockDevice, .fifo:
            try writeSpecial(name, in: directory, status, header)
        }
    }

    // MARK: Kinds of files

    private func writeDirectory(
        _ name: [CChar], in parent: borrowing FileDescriptor, _ header: TarHeaderWriter
    ) throws(StoreError) {
        var header = header
        let directory = try reading(header.path) { () throws(Errno) in
            try parent.open(name, [.directory, .noFollow])
        }
        let attributes = try reading(header.path) { () throws(Errno) in
            try FileAttributes(of: directory, marks: marks)
        }
        header.typeFlag = UInt8(ascii: "5")
        header.path.append(UInt8(ascii: "/"))
        header.attributes = attributes.archived
        try output.put(header.encoded())
        if attributes.isOpaque { try writeMarker(header.path + WhiteoutName.opaqueBytes) }
        try writeChildren(of: directory, at: header.path)
    }

    private func writeFile(
        _ name: [CChar], in directory: borrowing FileDescriptor, _ status: FileStatus, _ header: TarHeaderWriter
    ) throws(StoreError) {
        var header = header
        let attributes = try reading(header.path) { () throws(Errno) in
            try FileAttributes(of: FileName(cString: name), in: directory, marks: marks)
        }
        header.size = status.size
        header.attributes = attributes.archived
        try output.put(header.encoded())
        if status.size == 0 { return }
        if let reference {
            reference(header.path, archiveSize, status.size)
            referenced += status.size
            try output.putZeros((512 - status.size % 512) % 512)
            return
        }
        try writeContent(name, in: directory, status.size, header.path)
        try output.pad()
    }

    private func writeContent(
        _ name: [CChar], in directory: borrowing FileDescriptor, _ size: Int64, _ path: [UInt8]
    ) throws(StoreError) {
        let file = try reading(path) { () throws(Errno) in
            // A layer never changes; in what programs see they may be at work.
            try marks == nil ? directory.openRegularFile(name) : directory.open(name, [.readOnly, .noFollow])
        }
        var left = size
        while left > 0 {
            let count = try output.fill(limit: left) { (buffer) throws(StoreError) in
                try reading(path) { () throws(Errno) in try file.read(into: buffer) }
            }
            if count == 0 {
                throw StoreError(
                    .io, "\(String(decoding: path, as: UTF8.self)) became shorter while its layer was read")
            }
            left -= Int64(count)
        }
    }

    private func writeSpecial(
        _ name: [CChar], in directory: borrowing FileDescriptor, _ status: FileStatus, _ header: TarHeaderWriter
    ) throws(StoreError) {
        var header = header
        header.attributes = try reading(header.path) { () throws(Errno) in
            try FileAttributes(of: FileName(cString: name), in: directory, marks: marks).archived
        }
        switch status.type {
        case .symbolicLink:
            header.typeFlag = UInt8(ascii: "2")
            header.permissions = 0o777
            header.target = try reading(header.path) { () throws(Errno) in try directory.readLink(name) }
        case .fifo: header.typeFlag = UInt8(ascii: "6")
        default:
            header.typeFlag = status.type == .blockDevice ? UInt8(ascii: "4") : UInt8(ascii: "3")
            let device = DeviceNumber(rawValue: status.rawDevice)
            (header.deviceMajor, header.deviceMinor) = (device.major, device.minor)
        }
        try output.put(header.encoded())
    }

    /// An empty file whose name says something; it has no attributes of its own.
    private func writeMarker(_ path: [UInt8]) throws(StoreError) {
        try output.put(TarHeaderWriter(typeFlag: UInt8(ascii: "0"), path: path, permissions: 0o600).encoded())
    }

    private static func whiteoutPath(_ path: [UInt8]) -> [UInt8] {
        let slash = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return Array(path[..<slash]) + WhiteoutName.prefixBytes + path[slash...]
    }

    private func reading<Value: ~Copyable>(
        _ path: [UInt8], _ body: () throws(Errno) -> Value
    ) throws(StoreError) -> Value {
        try attempting("read \(String(decoding: path, as: UTF8.self)) for the layer's archive", body)
    }
}

extension FileAttributes {
    /// The file's own, as an archive has them.
    fileprivate var archived: [TarEntry.Attribute] {
        own.map { TarEntry.Attribute(name: $0.name.dropLast().map { UInt8(bitPattern: $0) }, value: $0.value) }
    }
}
