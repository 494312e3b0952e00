internal import Glibc
internal import Linux

/// One directory of the stack: the writable upper one or one of the immutable lower ones.
///
/// Objects are reached by the descriptor of the layer's root and a path relative to it; no descriptor is kept for
/// anything below.
final class Layer: Sendable {
    /// Place in the stack: 0 is the upper directory, 1 the topmost lower one.
    let index: Int
    /// The root, opened for reading: see `LayerMounts`.
    let root: FileDescriptor
    /// The device of the file system that the layer is on.
    let device: UInt64
    /// Number of that file system among those of the stack; part of the inode numbers that programs see.
    let fileSystem: UInt8
    /// UUID of that file system, zeros where it tells none; part of origin handles.
    let uuid: [UInt8]
    /// Whether that file system gives out file handles.
    let hasHandles: Bool

    init(
        index: Int, root: consuming FileDescriptor, device: UInt64, fileSystem: UInt8, uuid: [UInt8], hasHandles: Bool
    ) {
        self.index = index
        self.root = root
        self.device = device
        self.fileSystem = fileSystem
        self.uuid = uuid
        self.hasHandles = hasHandles
    }

    /// The inode number that programs see for an inode of this layer: its own number, with the number of the file system
    /// in the high bits where the stack lies on several (the kernel's `xino`).
    func inode(_ real: UInt64) -> UInt64 {
        if fileSystem == 0 { return real }
        // Numbers that need the high bits themselves are folded: still constant, and unique but for a coincidence.
        let low = (real ^ (real >> 56) &* 0x9e37_79b9_7f4a_7c15) & ((1 << 56) - 1)
        return UInt64(fileSystem & 0x7f) << 56 | low
    }
}

/// The path of a directory within its lower layer, which never changes. Directories of the same path in several layers
/// share one.
final class LowerPath: @unchecked Sendable {
    /// The bytes, without a slash at either end, followed by a zero; empty for the layer's root.
    let pointer: UnsafeMutablePointer<CChar>
    let length: Int

    /// The root of a layer.
    static let root = LowerPath(bytes: UnsafeRawBufferPointer(start: nil, count: 0))

    init(bytes: UnsafeRawBufferPointer) {
        length = bytes.count
        pointer = .allocate(capacity: length + 1)
        if let start = bytes.baseAddress { UnsafeMutableRawPointer(pointer).copyMemory(from: start, byteCount: length) }
        pointer[length] = 0
    }

    /// A name in a directory.
    init(parent: LowerPath, name: UnsafePointer<CChar>, length nameLength: Int) {
        let start = parent.length == 0 ? 0 : parent.length + 1
        length = start + nameLength
        pointer = .allocate(capacity: length + 1)
        if start > 0 {
            pointer.update(from: parent.pointer, count: parent.length)
            pointer[parent.length] = CChar(bitPattern: UInt8(ascii: "/"))
        }
        (pointer + start).update(from: name, count: nameLength)
        pointer[length] = 0
    }

    deinit { pointer.deallocate() }

    func equals(_ other: LowerPath) -> Bool { length == other.length && memcmp(pointer, other.pointer, length) == 0 }
}

/// A directory of one lower layer that is part of a directory of the union.
struct LowerPart: Sendable {
    /// The layer's place in the stack, from 1 on.
    let layer: UInt16
    /// Whether the directory may hold `.wh.` names.
    var hasMarkers = true
    /// Whether files in it may be whiteouts: see `Marks.Directory`.
    var hasWhiteoutFiles = false
    /// Where in the layer it is.
    let path: LowerPath
}
