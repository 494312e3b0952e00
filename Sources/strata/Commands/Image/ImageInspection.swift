import ImageStore
import OCI
import Rendering

/// An image as `inspect` shows it: Docker's members in Docker's order.
struct ImageInspection {
    let image: ImageRecord
    let store: ImageStore

    /// The description of the image.
    func value() throws -> Value {
        let configuration = image.configuration
        var members: [Value.Member] = []
        func add(_ name: String, _ value: Value) { members.append(Value.Member(name: name, value: value)) }
        add("Id", .string(image.id.description))
        add("RepoTags", .strings(image.references.filter { $0.digest == nil }.map(\.familiar)))
        add("RepoDigests", .strings(try store.repositoryDigests(of: image.id).map(\.familiar)))
        add("Parent", "")
        add("Comment", .string(configuration.history.last?.comment ?? ""))
        add("Created", .string((configuration.created ?? image.createdAt).description))
        add("Author", .string(configuration.author ?? ""))
        add("Config", ConfigurationValue.of(configuration.config))
        add("Architecture", .string(configuration.architecture))
        if let variant = configuration.variant { add("Variant", .string(variant)) }
        add("Os", .string(configuration.os))
        add("Size", .integer(image.size))
        add("GraphDriver", Self.graphDriver(lowers: store.lowerPaths(image.layerIDs)))
        add(
            "RootFS",
            .members([
                "Type": .string(configuration.rootFS.type),
                "Layers": .strings(configuration.rootFS.diffIDs.map(\.description)),
            ]))
        add(
            "Descriptor",
            .members([
                "mediaType": .string(MediaType.imageManifest.rawValue),
                "digest": .string(image.manifestDigest.description),
                "size": .integer(Int64(try store.blobs.read(image.manifestDigest).count)),
            ]))
        return .object(members)
    }

    /// Where the directories are, in the manner of Docker's overlay2 driver: the top layer apart from the others.
    private static func graphDriver(lowers: [String]) -> Value {
        .members([
            "Data": .members([
                "LowerDir": .string(lowers.dropFirst().joined(separator: ":")),
                "UpperDir": .string(lowers.first ?? ""),
            ]),
            "Name": "strata",
        ])
    }
}

/// The part of a description that images and containers share.
enum ConfigurationValue {
    /// How containers run, with Docker's members in Docker's order.
    static func of(_ config: ContainerConfiguration) -> Value {
        var members: [Value.Member] = []
        func add(_ name: String, _ value: Value) { members.append(Value.Member(name: name, value: value)) }
        add("Hostname", .string(config.hostname ?? ""))
        add("User", .string(config.user ?? ""))
        if !config.exposedPorts.isEmpty { add("ExposedPorts", .set(config.exposedPorts)) }
        add("Env", .strings(config.env))
        add("Cmd", .optional(config.cmd))
        if let check = config.healthcheck { add("Healthcheck", healthcheck(check)) }
        add("Volumes", config.volumes.isEmpty ? .null : .set(config.volumes))
        add("WorkingDir", .string(config.workingDir ?? ""))
        add("Entrypoint", .optional(config.entrypoint))
        add("OnBuild", config.onBuild.isEmpty ? .null : .strings(config.onBuild))
        add("Labels", config.labels.isEmpty ? .null : .map(config.labels))
        if let signal = config.stopSignal { add("StopSignal", .string(signal)) }
        if let timeout = config.stopTimeout { add("StopTimeout", .integer(Int64(timeout))) }
        if let shell = config.shell { add("Shell", .strings(shell)) }
        return .object(members)
    }

    private static func healthcheck(_ check: Healthcheck) -> Value {
        var members: [Value.Member] = []
        if let test = check.test { members.append(Value.Member(name: "Test", value: .strings(test))) }
        let numbers: KeyValuePairs<String, Int64?> = [
            "Interval": check.interval, "Timeout": check.timeout, "StartPeriod": check.startPeriod,
            "StartInterval": check.startInterval, "Retries": check.retries.map(Int64.init),
        ]
        for case (let name, let number?) in numbers {
            members.append(Value.Member(name: name, value: .integer(number)))
        }
        return .object(members)
    }
}
