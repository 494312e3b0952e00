import ImageStore
import OCI
import Rendering
import Runtime

/// A container as `inspect` shows it: Docker's members in Docker's order.
struct ContainerInspection {
    let container: ContainerRecord
    let store: ImageStore
    /// Whether the size of what it wrote is shown, for which it has to be walked.
    let withSize: Bool

    private static let never = "0001-01-01T00:00:00Z"

    /// The description of the container.
    func value() throws -> Value {
        let settings = container.settings
        let host = HostConfiguration(settings: settings)
        let paths = store.containerPaths(container.id)
        var members: [Value.Member] = []
        func add(_ name: String, _ value: Value) { members.append(Value.Member(name: name, value: value)) }
        add("Id", .string(container.id))
        add("Created", .string(container.createdAt.description))
        add("Path", .string(container.arguments.first ?? ""))
        add("Args", .strings(container.arguments.dropFirst()))
        add("State", state)
        add("Image", .string(container.imageID?.description ?? ""))
        add("LogPath", .string(paths.log))
        add("Name", .string("/" + container.name))
        add("RestartCount", 0)
        add("Driver", "strata")
        add("Platform", "linux")
        add("HostConfig", host.value)
        add("GraphDriver", graphDriver(paths))
        if withSize {
            let own = try store.containerSize(container.id)
            add("SizeRw", .integer(own))
            add("SizeRootFs", .integer(own + (try imageSize())))
        }
        add("Mounts", .array((settings?.volumes ?? []).map(mount)))
        add("Config", configuration(settings))
        add("NetworkSettings", .members(["Networks": .object([.init(name: host.networkMode, value: .object([]))])]))
        return .object(members)
    }

    private var state: Value {
        .members([
            "Status": .string(container.state.rawValue),
            "Running": .bool(container.state == .running),
            "Paused": false,
            "Restarting": false,
            "OOMKilled": false,
            "Dead": .bool(container.state == .dead),
            "Pid": .integer(Int64(container.pid ?? 0)),
            "ExitCode": .integer(Int64(container.exitCode ?? 0)),
            "Error": "",
            "StartedAt": .string(container.startedAt?.description ?? Self.never),
            "FinishedAt": .string(container.finishedAt?.description ?? Self.never),
        ])
    }

    private func graphDriver(_ paths: ContainerPaths) -> Value {
        .members([
            "Data": .members([
                "LowerDir": .string(store.lowerPaths(container.layerIDs).joined(separator: ":")),
                "MergedDir": .string(paths.rootfs),
                "UpperDir": .string(paths.upper),
                "WorkDir": .string(paths.work),
            ]),
            "Name": "strata",
        ])
    }

    private func imageSize() throws -> Int64 {
        try Set(container.layerIDs).reduce(0) { $0 + (try store.layer($1).diskUsage) }
    }

    private func mount(_ volume: VolumeMount) -> Value {
        let isBind = volume.source.volumeName == nil
        var members: [Value.Member] = [Value.Member(name: "Type", value: isBind ? "bind" : "volume")]
        if let name = volume.source.volumeName {
            members.append(Value.Member(name: "Name", value: .string(name)))
            members.append(Value.Member(name: "Source", value: .string(Volumes(store).path(name))))
        } else if case .host(let path) = volume.source {
            members.append(Value.Member(name: "Source", value: .string(path)))
        }
        members.append(Value.Member(name: "Destination", value: .string(volume.destination)))
        members.append(Value.Member(name: "Mode", value: volume.readOnly ? "ro" : ""))
        members.append(Value.Member(name: "RW", value: .bool(!volume.readOnly)))
        return .object(members)
    }

    private func configuration(_ settings: ContainerSettings?) -> Value {
        var config = settings?.configuration ?? ContainerConfiguration()
        config.hostname = settings?.hostname ?? container.shortID
        guard case .object(var members) = ConfigurationValue.of(config) else { return .null }
        let more: [Value.Member] = [
            Value.Member(name: "Tty", value: .bool(settings?.terminal ?? false)),
            Value.Member(name: "OpenStdin", value: .bool(settings?.interactive ?? false)),
            Value.Member(name: "Image", value: .string(container.imageName)),
        ]
        members.insert(contentsOf: more, at: min(2, members.count))
        return .object(members)
    }
}
