import DockerDocuments
import ImageStore
import OCI

extension ImageInspection {
    /// What a record of the store says of an image.
    ///
    /// - Parameter lowers: the directories of its layers, the top one first.
    init(_ image: ImageRecord, lowers: [String]) {
        self.init()
        let configuration = image.configuration
        id = image.id.description
        tags = image.references.map(\.familiar)
        digests = image.digests.map(\.familiar)
        comment = configuration.history.last?.comment ?? ""
        created = (configuration.created ?? image.createdAt).description
        author = configuration.author ?? ""
        config = ContainerConfig(configuration.config)
        architecture = configuration.architecture
        variant = configuration.variant
        os = configuration.os
        size = image.size
        // In the manner of Docker's overlay2 driver: the top layer apart from the others.
        graphDriver.name = "strata"
        graphDriver.data = [
            "LowerDir": lowers.dropFirst().joined(separator: ":"), "UpperDir": lowers.first ?? "",
        ]
        rootFS.type = configuration.rootFS.type
        rootFS.layers = configuration.rootFS.diffIDs.map(\.description)
    }
}

extension ContainerConfig {
    /// What an image's configuration says.
    init(_ config: ContainerConfiguration) {
        self.init()
        hostname = config.hostname ?? ""
        user = config.user ?? ""
        exposedPorts = config.exposedPorts.isEmpty ? nil : Self.set(config.exposedPorts)
        environment = config.env.isEmpty ? nil : config.env
        command = config.cmd
        healthcheck = config.healthcheck
        argsEscaped = config.argsEscaped == true ? true : nil
        volumes = config.volumes.isEmpty ? nil : Self.set(config.volumes)
        workingDirectory = config.workingDir ?? ""
        entrypoint = config.entrypoint
        onBuild = config.onBuild.isEmpty ? nil : config.onBuild
        labels = config.labels.isEmpty ? nil : config.labels
        stopSignal = config.stopSignal
        stopTimeout = config.stopTimeout
        shell = config.shell
    }

    private static func set(_ members: Set<String>) -> [String: EmptyObject] {
        Dictionary(uniqueKeysWithValues: members.map { ($0, EmptyObject()) })
    }
}
