package import ImageStore
import OCI
import Runtime

/// What the store takes on disk, part by part. Sizes are bytes of allocated blocks.
package struct SystemUsage: Sendable {
    /// A layer and who has it.
    package struct Layer: Sendable {
        package var record: LayerRecord
        /// How many images have it.
        package var images: Int
        /// How many containers stand on it.
        package var containers: Int
    }

    /// Images, containers, build cache and their totals.
    package var stored: DiskUsage
    /// The images, newest first, without their configurations.
    package var images: [ImageRecord]
    /// The containers, newest first, with the bytes of all their files.
    package var containers: [ContainerSummary]
    /// The volumes, by name.
    package var volumes: [VolumeUsage]
    /// The layers, the largest first.
    package var layers: [Layer]

    /// Volumes: those that containers have are in use.
    package var volumeTotal: DiskUsage.Total {
        let linked = volumes.filter { $0.links > 0 }
        let used: Int64 = linked.reduce(0) { $0 + $1.size }
        let all: Int64 = volumes.reduce(0) { $0 + $1.size }
        return DiskUsage.Total(count: volumes.count, active: linked.count, size: all, reclaimable: all - used)
    }

    /// Bytes of the whole store, as `du` counts them.
    package var totalBytes: Int64 { stored.storeBytes + volumeTotal.size }

    /// Bytes that `system prune --all --volumes` frees.
    package var prunableBytes: Int64 {
        let linked = linkedVolumes
        let idle = volumes.filter { $0.isAnonymous && !linked.contains($0.name) }
        return stored.reclaimableBytes + idle.reduce(0) { $0 + $1.size }
    }

    /// Names of the volumes that the running containers have.
    private var linkedVolumes: Set<String> {
        var linked: Set<String> = []
        for container in containers where stored.activeContainers.contains(container.record.id) {
            linked.formUnion(container.settings?.volumes.compactMap(\.source.volumeName) ?? [])
        }
        return linked
    }
}

extension Engine {
    /// What the store takes on disk, after what dead processes left was set right: what they ran or mounted keeps nothing.
    package func diskUsage() throws -> SystemUsage {
        containers.reconcile()
        let stored = try store.diskUsage()
        let images = try store.imageSummaries()
        var summaries = summaries(of: stored.containers.map(\.record))
        for (index, usage) in stored.containers.enumerated() { summaries[index].size = usage.size }
        let users = Self.counts(images.map(\.layerIDs))
        let containers = Self.counts(stored.containers.map(\.record.layerIDs))
        let layers = try store.layers().map { layer in
            SystemUsage.Layer(
                record: layer, images: users[layer.id] ?? 0, containers: containers[layer.id] ?? 0)
        }
        return SystemUsage(
            stored: stored, images: images, containers: summaries, volumes: try volumeUsage(),
            layers: layers.sorted { $0.record.diskUsage > $1.record.diskUsage })
    }

    /// In how many of the lists each layer is.
    private static func counts(_ lists: [[LayerID]]) -> [LayerID: Int] {
        var result: [LayerID: Int] = [:]
        for list in lists { for id in Set(list) { result[id, default: 0] += 1 } }
        return result
    }
}
