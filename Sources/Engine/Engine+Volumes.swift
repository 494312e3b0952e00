package import DockerDocuments
import ImageStore
import OCI
package import Runtime

/// A volume and what it takes.
package struct VolumeUsage: Sendable {
    /// The volume's name.
    package var name: String
    /// How many containers have it.
    package var links: Int
    /// Bytes of allocated blocks.
    package var size: Int64

    /// Whether it belongs to a container rather than having a name of the user's: 64 hexadecimal digits.
    package var isAnonymous: Bool { name.utf8.count == 64 && name.allSatisfy { $0.isHexDigit && !$0.isUppercase } }
}

extension Engine {
    /// The volumes of the store.
    package var volumes: Volumes { Volumes(store) }

    /// Makes an empty volume and returns its name; one that exists is left as it is.
    ///
    /// - Parameters:
    ///   - name: nil for 64 hexadecimal digits, as volumes have whose name nobody chose.
    ///   - driver: only `local` is known.
    package func createVolume(_ name: String?, driver: String = "local") throws -> String {
        if driver != "local" {
            throw EngineError(
                .badRequest, "the volume driver \"\(driver)\" is not supported", remedy: "use local")
        }
        let name = name ?? Volumes.anonymousName()
        try volumes.create(name)
        return name
    }

    /// Describes a volume; `notFound` where there is none of that name.
    package func inspectVolume(_ name: String) throws(EngineError) -> VolumeDocument {
        if volumes.creationTime(name) == nil { throw Self.noVolume(name) }
        return describe(volume: name)
    }

    /// Describes a volume that there is.
    func describe(volume name: String) -> VolumeDocument {
        var document = VolumeDocument()
        document.name = name
        document.createdAt = volumes.creationTime(name)?.description ?? DockerTime.never
        document.mountPoint = volumes.path(name)
        return document
    }

    /// Removes a volume and its files. `conflict` while a container has it, and `notFound` where there is none unless that
    /// is `forced`.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package func removeVolume(_ name: String, forced: Bool) throws -> Bool {
        guard try volumes.names().contains(name) else {
            if forced { return false }
            throw Self.noVolume(name)
        }
        if try volumeLinks()[name] != nil {
            throw EngineError(.conflict, "remove \(name): volume is in use", remedy: "remove its containers first")
        }
        try volumes.remove(name)
        return true
    }

    private static func noVolume(_ name: String) -> EngineError {
        EngineError(.notFound, "get \(name): no such volume")
    }

    /// All volumes with what they take, by name.
    ///
    /// - Parameter ignored: IDs of containers that do not count.
    package func volumeUsage(ignoring ignored: Set<String> = []) throws -> [VolumeUsage] {
        let names = try volumes.names()
        if names.isEmpty { return [] }
        let links = try volumeLinks(ignoring: ignored)
        return names.map { name in
            // A volume may be a link; what cannot be read counts nothing.
            let size = (try? store.diskUsage(ofTree: volumes.path(name) + "/.")) ?? 0
            return VolumeUsage(name: name, links: links[name] ?? 0, size: size)
        }
    }

    /// How many containers have each volume; nil for a volume that none has.
    ///
    /// - Parameter ignored: IDs of containers that do not count.
    package func volumeLinks(ignoring ignored: Set<String> = []) throws -> [String: Int] {
        var links: [String: Int] = [:]
        for container in try store.containers() where !ignored.contains(container.id) {
            guard let settings = container.settings else { continue }
            for name in Set(settings.volumes.compactMap(\.source.volumeName)) { links[name, default: 0] += 1 }
        }
        return links
    }
}
