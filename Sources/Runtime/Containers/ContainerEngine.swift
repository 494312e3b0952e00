import FoundationEssentials
public import ImageStore
import Linux
public import OCI

/// Containers from their making to their removal.
///
/// A running container is tended by one process: the caller of `start`, or the supervisor that `startDetached` leaves
/// behind. Any process may list, stop, signal or remove it. When the tending process was killed, the next call here
/// ends the container and frees its mount.
public struct ContainerEngine: Sendable {
    /// The store and the programs to use.
    public let context: RuntimeContext
    /// The program that becomes a supervisor; see `Supervisor`.
    let supervisorProgram: String?

    /// - Parameter supervisorProgram: a program that calls `Supervisor.run(ifAskedBy:)`; nil for the running one.
    public init(_ context: RuntimeContext, supervisorProgram: String? = nil) {
        self.context = context
        self.supervisorProgram = supervisorProgram
    }

    var store: ImageStore { context.store }

    // MARK: Making

    /// Makes a container of an image, ready to be started.
    public func create(
        _ options: ContainerOptions, image: ImageRecord
    ) throws(RuntimeError) -> ContainerRecord {
        let settings = try ContainerSettings(
            image: image.configuration.config, options: options, makeName: { RandomName.hex(digits: 64) })
        let data = try Self.encode(settings)
        let name = options.imageName ?? image.references.first?.familiar ?? image.id.short
        return try fromStore { () throws(StoreError) in
            try store.createContainer(
                NewContainer(
                    name: options.name, imageID: image.id, imageName: name, layerIDs: image.layerIDs,
                    arguments: settings.arguments, configJSON: data),
                events: { $0.events("create") })
        }
    }

    // MARK: Finding

    /// All containers, newest first, after what dead processes left was set right.
    public func containers() throws(RuntimeError) -> [ContainerRecord] {
        reconcile()
        return try fromStore { () throws(StoreError) in try store.containers() }
    }

    /// The container that a user means by a name, an id or the beginning of one; `notFound` where there is none.
    public func container(matching text: String) throws(RuntimeError) -> ContainerRecord {
        let found = try fromStore { () throws(StoreError) in try store.container(matching: text) }
        guard isAbandoned(found) else { return found }
        cleanUpAbandoned(found)
        return try fromStore { () throws(StoreError) in try store.container(matching: text) }
    }

    /// How a container runs.
    public func settings(of container: ContainerRecord) throws(RuntimeError) -> ContainerSettings {
        do throws(OCIError) {
            return try JSON.decode(ContainerSettings.self, from: container.configJSON)
        } catch {
            throw RuntimeError(.store, "cannot read the settings of container \(container.shortID): \(error.message)")
        }
    }

    private static func encode(_ settings: ContainerSettings) throws(RuntimeError) -> Data {
        do throws(OCIError) {
            return try JSON.encode(settings)
        } catch {
            throw RuntimeError(.system, "cannot keep the container's settings: \(error.message)")
        }
    }
}
