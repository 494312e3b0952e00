internal import FUSE
internal import Linux

// Where owners pass between programs and layers that know them by different ids (see `OwnerMapping`).
extension UnionFileSystem {
    private var owners: OwnerMapping { union.configuration.owners }

    /// The caller, by the ids that what it makes gets in the layer.
    func inLayer(_ request: Request) -> Request {
        if !union.mapsOwners { return request }
        return Request(
            uid: owners.users.inLayer(request.uid), gid: owners.groups.inLayer(request.gid), pid: request.pid,
            umask: request.umask)
    }

    /// The changes that are to be made in the layer.
    func inLayer(_ changes: AttributeChanges) -> AttributeChanges {
        if !union.mapsOwners { return changes }
        var changes = changes
        changes.uid = changes.uid.map(owners.users.inLayer)
        changes.gid = changes.gid.map(owners.groups.inLayer)
        return changes
    }

    /// Turns the ids in the value of an access control list into those that programs see. `count` bytes are there, unless
    /// the buffer is smaller.
    func showOwners(_ name: Name, _ buffer: UnsafeMutableRawBufferPointer, _ count: Int) {
        guard union.mapsOwners, count <= buffer.count, Self.isACL(name) else { return }
        owners.translate(acl: UnsafeMutableRawBufferPointer(rebasing: buffer[..<max(count, 0)]), toLayer: false)
    }

    /// A copy of an access control list with the ids that the layer is to keep; nil where the value is that already. The
    /// caller deallocates it.
    func valueInLayer(_ name: Name, _ value: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer? {
        if !union.mapsOwners || value.isEmpty || !Self.isACL(name) { return nil }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count, alignment: 8)
        copy.copyMemory(from: value)
        owners.translate(acl: copy, toLayer: true)
        return copy
    }

    private static func isACL(_ name: Name) -> Bool { name.hasPrefix("system.posix_acl_") }
}
