internal import Glibc
internal import Linux

/// How the owners that the layers have and those that programs see relate: fuse-overlayfs's options `uidmapping`,
/// `gidmapping`, `squash_to_uid`, `squash_to_gid` and `squash_to_root`, by which containers with different user
/// namespaces share the same layers.
public struct OwnerMapping: Sendable {
    /// How user ids relate.
    public var users = IDMapping()
    /// How group ids relate.
    public var groups = IDMapping()

    /// Everybody is who they are.
    public init() {}

    /// Whether anything is shown differently.
    public var isIdentity: Bool { users.isIdentity && groups.isIdentity }

    /// Whether the owner is shown as one user or group whatever it is: then a change of owner that the layer refuses
    /// counts as done, as with fuse-overlayfs.
    public var isSquashing: Bool { users.squashed != nil || groups.squashed != nil }

    // MARK: Access control lists

    private static let entrySize = 8
    private static let headerSize = 4

    /// Turns the ids in the value of a `system.posix_acl_*` attribute (struct posix_acl_xattr_entry, little-endian) into
    /// those that programs see, or back into those of the layer.
    func translate(acl value: UnsafeMutableRawBufferPointer, toLayer: Bool) {
        let (user, group): (UInt16, UInt16) = (2, 8)
        var position = Self.headerSize
        while position + Self.entrySize <= value.count {
            let tag = UInt16(littleEndian: value.loadUnaligned(fromByteOffset: position, as: UInt16.self))
            if tag == user || tag == group {
                let id = UInt32(littleEndian: value.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
                let mapping = tag == user ? users : groups
                let new = toLayer ? mapping.inLayer(id) : mapping.mapped(id)
                value.storeBytes(of: new.littleEndian, toByteOffset: position + 4, as: UInt32.self)
            }
            position += Self.entrySize
        }
    }
}

/// How ids in the layers and ids that programs see relate. Ids outside of every range are the overflow id.
public struct IDMapping: Sendable {
    private struct Range: Sendable {
        let layer: UInt32
        let shown: UInt32
        let count: UInt32
    }

    private var ranges: [Range] = []
    private var overflow: UInt32 = 65534
    /// The one id that every owner is shown as.
    public var squashed: UInt32?

    /// Every id is itself.
    public init() {}

    /// Reads `LAYER:SHOWN:COUNT` triples, one after the other, with colons between. Nil where the text is nothing of the
    /// kind or a range goes beyond the 32 bits of an id.
    ///
    /// - Parameter overflow: stands for ids outside of the ranges (`/proc/sys/kernel/overflowuid`).
    public init?(_ text: String, overflow: UInt32 = 65534) {
        self.overflow = overflow
        let fields = text.split(separator: ":").map { UInt32($0) }
        if fields.isEmpty || fields.count % 3 != 0 { return nil }
        for start in stride(from: 0, to: fields.count, by: 3) {
            guard let layer = fields[start], let shown = fields[start + 1], let count = fields[start + 2],
                UInt64(max(layer, shown)) + UInt64(count) <= 1 << 32
            else { return nil }
            ranges.append(Range(layer: layer, shown: shown, count: count))
        }
    }

    /// Whether each id is shown as itself.
    public var isIdentity: Bool { ranges.isEmpty && squashed == nil }

    /// What programs see of an owner in a layer.
    public func shown(_ id: UInt32) -> UInt32 { squashed ?? mapped(id) }

    /// As `shown`, for an id that is never squashed: one of several in a list.
    func mapped(_ id: UInt32) -> UInt32 {
        if ranges.isEmpty { return id }
        for range in ranges where id >= range.layer && id - range.layer < range.count {
            return range.shown &+ (id - range.layer)
        }
        return overflow
    }

    /// What is kept in a layer for an owner that a program names.
    public func inLayer(_ id: UInt32) -> UInt32 {
        if ranges.isEmpty { return id }
        for range in ranges where id >= range.shown && id - range.shown < range.count {
            return range.layer &+ (id - range.shown)
        }
        return overflow
    }
}
