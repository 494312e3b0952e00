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
        try shell("mkdir \(directory); cd \(directory); mkdir upper work merged")
    }

    deinit {
        _ = try? shell("umount -l \(directory)/merged 2>&1")
    }

    /// Runs a script in the mounted union and returns what the union shows afterwards.
    func run(
        _ script: String, options: String = "redirect_dir=on,metacopy=on,index=on,xino=on"
    ) throws -> TreeSnapshot {
        let stack = test.store.lowerPaths(lowers).joined(separator: ":")
        try shell(
            "mount -t overlay overlay -o lowerdir=\(stack),upperdir=upper,workdir=work,\(options) merged",
            in: directory)
        try shell(script, in: directory + "/merged")
        let shown = try TreeSnapshot(directory + "/merged", .includeRoot)
        try shell("umount merged", in: directory)
        return shown
    }
}

extension TemporaryStore {
    /// What a stack of layers shows, by the kernel's overlay without any of its extensions.
    func show(_ layers: [LayerID]) throws -> TreeSnapshot {
        let mounted = directory + "/shown-\(UInt64.random(in: 0...UInt64.max))"
        try shell("mkdir \(mounted) \(mounted).nothing")
        // One layer alone would not be a union, in which programs see their own attributes.
        let stack = (store.lowerPaths(layers) + [mounted + ".nothing"]).joined(separator: ":")
        try shell("mount -t overlay overlay -o ro,lowerdir=\(stack),redirect_dir=nofollow,metacopy=off \(mounted)")
        defer { _ = try? shell("umount -l \(mounted)") }
        return try TreeSnapshot(mounted, .includeRoot)
    }
}
