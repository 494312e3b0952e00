import BuildEngine
package import ImageStore
package import OCI
package import Runtime

/// A container that is made of an image.
package struct CreateRequest: Sendable {
    /// How it runs; the image's name is among it.
    package var options: ContainerOptions
    /// The image as the user names it.
    package var image: String
    /// When the image is fetched.
    package var pull = PullPolicy.missing
    /// What the image is to run on; nil for whatever the store has.
    package var platform: Platform?
    package var access = RegistryAccess()

    /// A container of an image.
    package init(_ options: ContainerOptions, image: String) {
        self.options = options
        self.image = image
    }
}

/// What there is to mount.
package enum MountSource: Sendable {
    case image(ImageRecord)
    case container(ContainerRecord)
}

/// What is mounted where.
package struct MountRequest: Sendable {
    /// The image or container as the user names it.
    package var source: String
    /// The directory to mount it at.
    package var directory: String
    /// Whether an image is mounted by way of a new container, which can be written to.
    package var isWritable = false
    /// The name of that container; nil to have one made up.
    package var containerName: String?
    package var permissions: MountPermissions = []

    /// A read-only mount of an image, or a mount of a container.
    package init(_ source: String, at directory: String) {
        self.source = source
        self.directory = directory
    }
}

extension Engine {
    // MARK: Making and restarting

    /// Makes the container of a request; its image is fetched where the request says so.
    ///
    /// - Parameter prepare: called once the image is there and before anything is made.
    package func create(
        _ request: CreateRequest, _ progress: @escaping ProgressHandler, prepare: () throws -> Void = {}
    ) throws -> ContainerRecord {
        let engine = session()
        defer { try? engine.store.releaseLeases() }
        let image = try engine.image(
            request.image, request.pull, platform: request.platform, request.access, progress)
        try prepare()
        return try containers.create(request.options, image: image)
    }

    /// Starts a container in the background; one that runs is left as it is.
    package func start(_ name: String) throws {
        let container = try containers.container(matching: name)
        if container.state != .running { try containers.startDetached(container.id) }
    }

    /// Stops a container and starts it again.
    ///
    /// - Parameters:
    ///   - timeout: seconds until it is killed, -1 for never; nil for what the container says.
    ///   - signal: what it is sent first; nil for what the container says.
    package func restart(_ name: String, timeout: Int?, signal: Int32?) throws {
        try containers.restart(name, timeout: timeout, signal: signal)
    }

    /// Makes an image of a container.
    ///
    /// - Parameters:
    ///   - name: the image's; nil for none.
    ///   - changes: instructions of a Dockerfile that set its configuration.
    package func commit(
        _ container: String, as name: String?, changes: [String], author: String?, message: String?
    ) throws -> ImageRecord {
        var options = CommitOptions()
        options.author = author
        options.message = message
        options.tags = try name.map { [try Reference(naming: $0, to: "commit as \($0)")] } ?? []
        return try containers.commit(container, options) { config throws(RuntimeError) in
            var change = ConfigurationChange(of: ImageConfiguration(config: config))
            do throws(BuildError) {
                try change.apply(changes: changes)
            } catch {
                throw RuntimeError(.badOption, error.message, remedy: error.remedy)
            }
            config = change.image.config
        }
    }

    // MARK: Mounting

    /// What a user means: the container of that name, else an image, else a container by its ID.
    package func mountSource(_ text: String) throws -> MountSource {
        let container = try? containers.container(matching: text)
        if let container, container.name == text || container.id == text { return .container(container) }
        do {
            return .image(try store.image(matching: text))
        } catch {
            if let container { return .container(container) }
            if error.code == .noSuchImage { throw EngineError(.notFound, "No such image or container: \(text)") }
            throw error
        }
    }

    /// Mounts an image or a container. Returns the container that was made for it, if one was.
    package func mount(_ request: MountRequest) throws -> ContainerRecord? {
        switch try mountSource(request.source) {
        case .container(let container):
            try containers.mount(container, at: request.directory, permissions: request.permissions)
            return nil
        case .image(let image) where !request.isWritable:
            try containers.mount(image, at: request.directory, permissions: request.permissions)
            return nil
        case .image(let image):
            let container = try writableContainer(of: image, request)
            do {
                try containers.mount(container, at: request.directory, permissions: request.permissions)
            } catch {
                try? containers.remove(container.id)
                throw error
            }
            return container
        }
    }

    /// A container of an image to write to; unlike for `create`, the image needs no command.
    private func writableContainer(of image: ImageRecord, _ request: MountRequest) throws -> ContainerRecord {
        var options = ContainerOptions()
        options.name = request.containerName
        options.imageName = request.source
        let config = image.configuration.config
        if !(config.entrypoint ?? []).isEmpty || !(config.cmd ?? []).isEmpty {
            return try containers.create(options, image: image)
        }
        // Settings are made with some command, which then goes, so that a commit does not find it.
        options.command = ["/bin/sh"]
        var settings = try ContainerSettings(image: config, options: options) { image.id.hex }
        settings.configuration.cmd = config.cmd
        return try store.createContainer(
            NewContainer(
                name: request.containerName, imageID: image.id, imageName: request.source, layerIDs: image.layerIDs,
                arguments: [], configJSON: try JSON.encode(settings)))
    }

    /// How a list names what is mounted: the container's name or the image's, else the beginning of the ID.
    package func name(of mount: MountRecord) -> String {
        if let id = mount.containerID { return (try? store.container(matching: id).name) ?? String(id.prefix(12)) }
        guard let id = mount.imageID else { return "" }
        return (try? store.image(id: id).references.first?.familiar) ?? id.short
    }
}
