public import ImageStore
import Linux
public import OCI

/// What `commit` says of the image it makes.
public struct CommitOptions: Sendable {
    /// Names for the image.
    public var tags: [Reference] = []
    /// `-m`: why the image was made.
    public var message: String?
    /// `-a`: who made it.
    public var author: String?

    /// No names, no words.
    public init() {}
}

extension ContainerEngine {
    /// How a container's files differ from its image's, sorted by path.
    public func diff(_ id: String) throws(RuntimeError) -> [LayerChange] {
        let container = try container(matching: id)
        let upper = store.containerPaths(container.id).upper
        return try fromStore { () throws(StoreError) in
            try store.changes(inUpper: upper, lowers: container.layerIDs)
        }
    }

    /// Makes an image of a container: its image's layers and what it wrote, its image's configuration with its own
    /// command, environment and so on.
    ///
    /// A container may run meanwhile; it is not paused, so what it writes at the time may be in the image in part.
    ///
    /// - Parameter change: changes the configuration, as `-c` asks.
    public func commit(
        _ id: String, _ options: CommitOptions = CommitOptions(),
        change: (inout ContainerConfiguration) throws(RuntimeError) -> Void = { _ in }
    ) throws(RuntimeError) -> ImageRecord {
        try fromStore { () throws(StoreError) in try ImageStore.requireTags(options.tags) }
        let container = try container(matching: id)
        let settings = try settings(of: container)
        let base = container.imageID.flatMap { try? store.image(matching: $0.description) }
        var image = base?.configuration ?? ImageConfiguration()
        image.config = settings.configuration
        image.completeHistory(layers: container.layerIDs.count)
        try change(&image.config)
        let now = Timestamp.now
        image.created = now
        image.author = options.author ?? image.author
        image.history.append(
            History(
                created: now, createdBy: settings.arguments.joined(separator: " "), author: options.author,
                comment: options.message))
        let upper = store.containerPaths(container.id).upper
        let made = try fromStore { () throws(StoreError) in
            // Its leases are those of this commit, whatever else this process does.
            let session = store.session()
            let layer = try session.commitLayer(copyingUpper: upper, lowers: container.layerIDs).finish()
            return try session.createImage(
                configuration: image, layers: container.layerIDs + [layer.id], tags: options.tags)
        }
        let names = options.tags.map(\.familiar).joined(separator: ", ")
        report(
            container.events(
                "commit", ["comment": options.message ?? "", "imageID": made.id.description, "imageRef": names]))
        return made
    }
}
