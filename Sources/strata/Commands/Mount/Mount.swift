import ArgumentParser
import ImageStore
import OCI
import Runtime

/// `strata mount`
struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount", abstract: "Mount an image or a container at a directory, or list mounts.",
        discussion: """
            An image is mounted read-only. With --rw a container of it is made, whose name is printed; what is written \
            belongs to that container and becomes an image with 'strata commit'. A container is always writable.

            Only the user who mounts can look into the mount, and no program in it gets rights on this machine: set-id bits \
            and device nodes can be made and committed, but mean nothing there. With -o, a list with commas between, suid \
            and dev give them their meaning, and allow_other lets all users in, as far as the files' modes do.

            EXAMPLE: strata mount web /mnt
            EXAMPLE: strata mount -o allow_other web /srv/web
            EXAMPLE: strata mount --rw --name edit web /mnt
            """)

    @OptionGroup var globals: GlobalOptions

    @Flag(name: [.customLong("rw")], help: "Make the mount of an image writable by way of a new container.")
    var writable = false

    @Option(
        name: [.customShort("o"), .customLong("options")],
        help: ArgumentHelp("What the mount allows: suid, dev, allow_other.", valueName: "list"))
    var mountOptions: [String] = []

    @Option(help: "The name of the container that --rw makes.")
    var name: String?

    @Option(help: ArgumentHelp("For the list: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("The image or container to mount.", valueName: "image-or-container"))
    var source: String?

    @Argument(help: "The directory to mount it at.")
    var directory: String?

    func run() throws {
        guard let source else { return try list() }
        guard let directory else {
            throw CommandError(.usage, "'strata mount' requires the directory to mount \(source) at")
        }
        let permissions =
            try mountOptions.isEmpty ? [] : MountPermissions(mountOptions: mountOptions.joined(separator: ","))
        let engine = try globals.openEngine()
        switch try MountSource.find(source, with: engine) {
        case .container(let container): try engine.mount(container, at: directory, permissions: permissions)
        case .image(let image) where !writable: try engine.mount(image, at: directory, permissions: permissions)
        case .image(let image):
            let container = try MountSource.container(of: image, named: name, calling: source, with: engine)
            do {
                try engine.mount(container, at: directory, permissions: permissions)
            } catch {
                try? engine.remove(container.id)
                throw error
            }
            try Console.print(container.name)
        }
    }

    private func list() throws {
        let engine = try globals.openEngine(creating: false)
        let mounts = try engine.mounts()
        let store = engine.context.store
        let listing = Listing<MountRecord>(
            columns: [
                Column("MountPoint", "MOUNT POINT") { $0.mountPoint },
                Column("Source", "SOURCE") { MountSource.name(of: $0, in: store) },
                Column("Mode", "MODE") { $0.readOnly ? "ro" : "rw" },
                Column("Layers", "LAYERS") { String($0.layerIDs.count) },
                Column("CreatedSince", "CREATED") { HumanUnits.ago($0.createdAt) },
            ], standard: ["MountPoint", "Source", "Mode", "Layers", "CreatedSince"])
        try listing.show(mounts, format: format)
    }
}

/// What there is to mount.
enum MountSource {
    case image(ImageRecord)
    case container(ContainerRecord)

    /// What a user means: the container of that name, else an image, else a container by its ID.
    static func find(_ text: String, with engine: ContainerEngine) throws -> MountSource {
        let container = try? engine.container(matching: text)
        if let container, container.name == text || container.id == text { return .container(container) }
        do {
            return .image(try engine.context.store.image(matching: text))
        } catch {
            if let container { return .container(container) }
            if error.code == .noSuchImage {
                throw CommandError(.notFound, "No such image or container: \(text)")
            }
            throw error
        }
    }

    /// A container of an image to write to; unlike `create`, the image needs no command.
    static func container(
        of image: ImageRecord, named name: String?, calling imageName: String, with engine: ContainerEngine
    ) throws -> ContainerRecord {
        var options = ContainerOptions()
        options.name = name
        options.imageName = imageName
        let config = image.configuration.config
        if !(config.entrypoint ?? []).isEmpty || !(config.cmd ?? []).isEmpty {
            return try engine.create(options, image: image)
        }
        // Settings are made with some command, which then goes, so that a commit does not find it.
        options.command = ["/bin/sh"]
        var settings = try ContainerSettings(image: config, options: options) { image.id.hex }
        settings.configuration.cmd = config.cmd
        return try engine.context.store.createContainer(
            NewContainer(
                name: name, imageID: image.id, imageName: imageName, layerIDs: image.layerIDs, arguments: [],
                configJSON: try JSON.encode(settings)))
    }

    /// How a list names what is mounted.
    static func name(of mount: MountRecord, in store: ImageStore) -> String {
        if let id = mount.containerID {
            return (try? store.container(matching: id).name) ?? ShortText.id(id)
        }
        guard let id = mount.imageID else { return "" }
        return (try? store.image(id: id).references.first?.familiar) ?? id.short
    }
}
