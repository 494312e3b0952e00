import ImageStore
import Linux

/// The kernel's own overlay over layers of a store, which makes upper directories to be committed; what it shows is the
/// oracle for what the commit must show.
final class KernelUnion {
    private let test: TemporaryStore
    private let lowers: [LayerID]
    /// Where `upper`, `work` and `merged` are.
    let directory: String
    var upper: String { directory + "/upper" }

    init(_ test: TemporaryStore, _ lowers: [LayerID]) throws {
        self.test = test
        self.lowers = lowers
        directory = test.directory + "/store/containers/union-\(UInt64.random(in: 0...UInt64.max))"
        for name in ["", "/upper", "/work", "/merged"] {
            try FileDescriptor.currentDirectory.makeDirectory(directory + name, mode: 0o755)
        }
    }

    /// Runs a script in the mounted union and returns what the union shows afterwards.
    func run(
        _ script: String, options: String = "redirect_dir=on,metacopy=on,index=on,xino=on"
    ) throws -> TreeSnapshot {
        try mounted(options: options) { merged in
            try shell(script, in: merged)
            return try TreeSnapshot(merged, .includeRoot)
        }
    }

    /// Calls `body` with the path of the mounted union.
    func mounted<Value>(
        options: String = "redirect_dir=on,metacopy=on,index=on,xino=on", _ body: (String) throws -> Value
    ) throws -> Value {
        let stack = test.store.lowerPaths(lowers).joined(separator: ":")
        let directories = "lowerdir=\(stack),upperdir=\(upper),workdir=\(directory)/work"
        return try withOverlay(at: directory + "/merged", options: "\(directories),\(options)", body)
    }
}

/// Calls `body` with the path of a mounted overlay, which is gone afterwards whatever happens.
private func withOverlay<Value>(
    at path: String, flags: MountFlags = [], options: String, _ body: (String) throws -> Value
) throws -> Value {
    try Mount.mount(source: "overlay", target: path, type: "overlay", flags: flags, options: options)
    defer { try? Mount.unmount(path, flags: [.detach, .noFollow]) }
    return try body(path)
}

extension TemporaryStore {
    /// What a stack of layers shows, by the kernel's overlay without any of its extensions.
    func show(_ layers: [LayerID], _ options: TreeSnapshot.Options = .includeRoot) throws -> TreeSnapshot {
        let mounted = directory + "/shown-\(UInt64.random(in: 0...UInt64.max))"
        let nothing = mounted + ".nothing"
        for path in [mounted, nothing] { try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o755) }
        defer { for path in [mounted, nothing] { try? FileDescriptor.currentDirectory.removeDirectory(path) } }
        // One layer alone would not be a union, in which programs see their own attributes.
        let stack = (store.lowerPaths(layers) + [nothing]).joined(separator: ":")
        return try withOverlay(
            at: mounted, flags: .readOnly, options: "lowerdir=\(stack),redirect_dir=nofollow,metacopy=off"
        ) { try TreeSnapshot($0, options) }
    }
}

/// A note `origin` that names a file: `struct ovl_fb` of the kernel's fs/overlayfs/overlayfs.h without the file
/// system's UUID.
func originNote(of path: String) throws -> [UInt8] {
    let handle = try FileDescriptor.open(path, [.path, .noFollow]).fileHandle()
    return [0, 0xfb, UInt8(handle.bytes.count + 21), 0, UInt8(truncatingIfNeeded: handle.type)]
        + [UInt8](repeating: 0, count: 16) + handle.bytes
}
