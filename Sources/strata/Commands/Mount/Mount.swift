import ArgumentParser
import Engine
import ImageStore
import Rendering
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
        var request = MountRequest(source, at: directory)
        request.isWritable = writable
        request.containerName = name
        request.permissions = permissions
        if let container = try globals.openEngine().mount(request) { try Console.print(container.name) }
    }

    private func list() throws {
        let engine = try globals.openEngine(creating: false)
        let mounts = try engine.containers.mounts()
        let listing = Listing<MountRecord>(
            columns: [
                Column("MountPoint", "MOUNT POINT") { $0.mountPoint },
                Column("Source", "SOURCE") { engine.name(of: $0) },
                Column("Mode", "MODE") { $0.readOnly ? "ro" : "rw" },
                Column("Layers", "LAYERS") { String($0.layerIDs.count) },
                Column("CreatedSince", "CREATED") { HumanUnits.ago($0.createdAt) },
            ], standard: ["MountPoint", "Source", "Mode", "Layers", "CreatedSince"])
        try listing.show(mounts, format: format)
    }
}
