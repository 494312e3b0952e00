package import DockerDocuments
import ImageStore
import Linux
import OCI
import Runtime

/// The kinds of objects that `inspect` finds, in the order in which it looks for them.
package enum ObjectKind: String, CaseIterable, Sendable {
    case container, image, volume
}

/// What `inspect` found.
package enum InspectedObject: Sendable {
    case container(ContainerInspection)
    case image(ImageInspection)
    case volume(VolumeDocument)
}

extension Engine {
    /// Describes the object that a user means; `notFound` where there is none.
    ///
    /// - Parameters:
    ///   - kind: what it is; nil for anything.
    ///   - withSize: whether the bytes that a container wrote are added up.
    package func inspect(_ name: String, kind: ObjectKind?, withSize: Bool) throws -> InspectedObject {
        switch kind {
        case .container: return .container(try inspectContainer(name, withSize: withSize))
        case .image: return .image(try inspectImage(name))
        case .volume: return .volume(try inspectVolume(name))
        case nil: break
        }
        do {
            return .container(try inspectContainer(name, withSize: withSize))
        } catch let error as RuntimeError where error.code == .notFound {}
        do {
            return .image(try inspectImage(name))
        } catch let error as StoreError where error.code == .noSuchImage {}
        do throws(EngineError) {
            return .volume(try inspectVolume(name))
        } catch {
            if error.code == .notFound { throw EngineError(.notFound, "No such object: \(name)") }
            throw error
        }
    }

    /// Describes a container.
    ///
    /// - Parameter withSize: whether the bytes that it wrote are added up.
    package func inspectContainer(_ name: String, withSize: Bool) throws -> ContainerInspection {
        let container = try containers.container(matching: name)
        var document = ContainerInspection(container, in: self)
        if withSize {
            let own = try store.containerSize(container.id)
            document.writtenSize = own
            document.rootSize = own + (try imageSize(of: container))
        }
        return document
    }

    /// Describes an image.
    package func inspectImage(_ name: String) throws -> ImageInspection {
        let image = try store.image(matching: name)
        var document = ImageInspection(image, lowers: store.lowerPaths(image.layerIDs))
        document.metadata.lastTagTime = try store.lastTagTime(of: image.id)?.description ?? DockerTime.never
        document.descriptor = Descriptor(
            mediaType: .imageManifest, digest: image.manifestDigest,
            size: Int64(try store.blobs.read(image.manifestDigest).count))
        return document
    }
}

extension VersionInformation {
    /// This program's, and the machine's.
    package static var current: VersionInformation {
        var document = VersionInformation()
        document.version = ProgramVersion.number
        document.os = Platform.current.os
        document.architecture = Platform.current.architecture
        return document
    }
}
