public import ImageStore
import Linux
public import OCI

extension ContainerEngine {
    /// Writes a container's whole file system, its image's files included, as a tar archive to `sink`, in pieces of up to
    /// 1 MiB. What is mounted in the container, volumes included, is left out.
    ///
    /// A running container is not paused; a file that becomes shorter meanwhile is an error.
    public func export(
        _ id: String, to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(RuntimeError) {
        let container = try container(matching: id)
        let mounted = try mounts().first { $0.containerID == container.id }?.mountPoint
        defer { report(container.events("export")) }
        let place = store.containerPaths(container.id).rootfs
        if let path = container.state == .running ? place : mounted { return try write(path, to: sink) }
        // In the one place where a mount that outlives us is found again, as a list of mounts shows it.
        try mount(container, at: place)
        do throws(RuntimeError) {
            try write(place, to: sink)
        } catch {
            try? unmount(place)
            throw error
        }
        try unmount(place)
    }

    private func write(
        _ path: String, to sink: @escaping (UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(RuntimeError) {
        _ = try fromStore { () throws(StoreError) in try LayerArchiveWriter.write(tree: path, marks: nil, to: sink) }
    }
}
