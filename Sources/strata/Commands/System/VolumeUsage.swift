import ImageStore
import Linux
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
        var links: [String: Int] = [:]
        for container in try store.containers() where !ignoring.contains(container.id) {
            guard let settings = ContainerRow.settings(of: container) else { continue }
            for name in Set(settings.volumes.compactMap(\.source.volumeName)) { links[name, default: 0] += 1 }
        }
        return names.map { name in
            var seen: Set<UInt64> = []
            var size: Int64 = 0
            if let directory = try? FileDescriptor.open(volumes.path(name), .directory) {
                size = allocated(in: directory, seen: &seen)
            }
            return VolumeUsage(name: name, links: links[name] ?? 0, size: size)
        }
    }

    /// Bytes of allocated blocks of a directory and all below it, hard links once. What cannot be read counts nothing.
    private static func allocated(in directory: borrowing FileDescriptor, seen: inout Set<UInt64>) -> Int64 {
        var total = (try? directory.status())?.allocatedSize ?? 0
        for name in (try? directory.sortedEntryNames()) ?? [] {
            guard let status = try? directory.status(of: name) else { continue }
            if status.isDirectory {
                if let child = try? directory.open(name, [.directory, .noFollow]) {
                    total += allocated(in: child, seen: &seen)
                }
            } else if status.linkCount <= 1 || seen.insert(status.inode).inserted {
                total += status.allocatedSize
            }
        }
        return total
    }
}
