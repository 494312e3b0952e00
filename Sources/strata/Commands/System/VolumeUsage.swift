import ImageStore
import Runtime

/// A volume and what it takes.
struct VolumeUsage {
    var name: String
    /// How many containers have it.
    var links: Int
    /// Bytes of allocated blocks.
    var size: Int64

    /// Whether it belongs to a container rather than having a name of the user's: 64 hexadecimal digits.
    var isAnonymous: Bool { name.utf8.count == 64 && name.allSatisfy { $0.isHexDigit && !$0.isUppercase } }

    /// All volumes of a store.
    ///
    /// - Parameter ignoring: IDs of containers that do not count.
    static func all(of store: ImageStore, ignoring: Set<String> = []) throws -> [VolumeUsage] {
        let volumes = Volumes(store)
        let names = try volumes.names()
        if names.isEmpty { return [] }
        let links = try links(in: store, ignoring: ignoring)
        return names.map { name in
            // A volume may be a link; what cannot be read counts nothing.
            let size = (try? store.diskUsage(ofTree: volumes.path(name) + "/.")) ?? 0
            return VolumeUsage(name: name, links: links[name] ?? 0, size: size)
        }
    }

    /// How many containers have each volume; none where it is not mentioned.
    static func links(in store: ImageStore, ignoring: Set<String> = []) throws -> [String: Int] {
        var links: [String: Int] = [:]
        for container in try store.containers() where !ignoring.contains(container.id) {
            guard let settings = ContainerRow.settings(of: container) else { continue }
            for name in Set(settings.volumes.compactMap(\.source.volumeName)) { links[name, default: 0] += 1 }
        }
        return links
    }
}
