import DockerDocuments
import ImageStore
import OCI
import Runtime

extension ContainerInspection {
    /// What a record of the store says of a container, without the bytes that it wrote.
    init(_ container: ContainerRecord, in engine: Engine) {
        self.init()
        let settings = container.settings
        let paths = engine.store.containerPaths(container.id)
        id = container.id
        created = container.createdAt.description
        path = container.arguments.first ?? ""
        arguments = Array(container.arguments.dropFirst())
        state = State(container)
        imageID = container.imageID?.description ?? ""
        (resolverPath, hostnamePath, hostsPath) = (
            paths.bundle + "/resolv.conf", paths.bundle + "/hostname", paths.bundle + "/hosts"
        )
        logPath = paths.log
        name = "/" + container.name
        driver = "strata"
        platform = "linux"
        hostConfig = HostConfig(settings)
        hostConfig.runtime = engine.configuration.runtime ?? "runc"
        graphDriver.name = "strata"
        graphDriver.data = [
            "LowerDir": engine.store.lowerPaths(container.layerIDs).joined(separator: ":"),
            "MergedDir": paths.rootfs, "UpperDir": paths.upper, "WorkDir": paths.work,
        ]
        mounts = (settings?.volumes ?? []).map { MountPoint($0, volumes: engine.volumes) }
        config = ContainerConfig(settings?.configuration ?? ContainerConfiguration())
        config.hostname = settings?.hostname ?? container.shortID
        config.image = container.imageName
        config.hasTerminal = settings?.terminal ?? false
        let isAttached = settings?.isDetached != true
        config.opensInput = settings?.interactive ?? false
        config.attachesInput = config.opensInput && isAttached
        config.opensInputOnce = config.attachesInput
        (config.attachesOutput, config.attachesErrors) = (isAttached, isAttached)
        networkSettings.networks = [hostConfig.networkMode: NetworkEndpoint()]
    }
}

extension ContainerInspection.State {
    init(_ container: ContainerRecord) {
        self.init()
        status = container.state.rawValue
        isRunning = container.state == .running
        isDead = container.state == .dead
        pid = Int(container.pid ?? 0)
        exitCode = Int(container.exitCode ?? 0)
        startedAt = container.startedAt?.description ?? DockerTime.never
        finishedAt = container.finishedAt?.description ?? DockerTime.never
    }
}

extension MountPoint {
    init(_ volume: VolumeMount, volumes: Volumes) {
        self.init()
        if let volumeName = volume.source.volumeName {
            type = "volume"
            name = volumeName
            source = volumes.path(volumeName)
            driver = "local"
        } else if case .host(let path) = volume.source {
            type = "bind"
            source = path
            propagation = "rprivate"
        }
        destination = volume.destination
        mode = volume.readOnly ? "ro" : ""
        isWritable = !volume.readOnly
    }
}

extension HostConfig {
    init(_ settings: ContainerSettings?) {
        self.init()
        let isolation = settings?.isolation ?? Isolation()
        binds = Self.list((settings?.volumes ?? []).compactMap(Self.bind))
        networkMode = isolation.network.rawValue
        isRemovedAtEnd = settings?.autoRemove ?? false
        addedCapabilities = Self.list(isolation.addedCapabilities)
        droppedCapabilities = Self.list(isolation.droppedCapabilities)
        extraHosts = Self.list(isolation.hosts.map { "\($0.name):\($0.address)" })
        cgroupNamespaceMode = RuntimeContext.givesPrivateCgroups ? "private" : "host"
        isPrivileged = isolation.isPrivileged
        publishesAllPorts = settings?.publishAll ?? false
        isReadOnly = isolation.isReadOnly
        securityOptions = Self.list(isolation.securityOptions)
        sharedMemory = isolation.sharedMemory ?? 64 << 20
        let resources = isolation.resources
        cpuShares = resources.processorShares
        memory = resources.memory
        nanoCpus = resources.nanoProcessors
        cpusetCpus = resources.processorSet
        memoryReservation = resources.memoryReservation
        memorySwap = resources.effectiveMemoryAndSwap
        processLimit = resources.processes > 0 ? resources.processes : nil
        limits = isolation.limits.map(Limit.init)
        if isolation.masksSystemPaths, !isolation.isPrivileged {
            maskedPaths = RuntimeSpecification.maskedPaths
            readonlyPaths = RuntimeSpecification.readonlyPaths
        }
    }

    private static func list(_ values: [String]) -> [String]? { values.isEmpty ? nil : values }

    private static func bind(_ volume: VolumeMount) -> String? {
        switch volume.source {
        case .host(let source), .named(let source):
            "\(source):\(volume.destination)\(volume.readOnly ? ":ro" : "")"
        case .anonymous: nil
        }
    }
}

extension HostConfig.Limit {
    init(_ limit: RuntimeSpecification.Limit) {
        self.init()
        name = limit.type.hasPrefix("RLIMIT_") ? limit.type.dropFirst(7).lowercased() : limit.type
        hard = Int64(clamping: limit.hard)
        soft = Int64(clamping: limit.soft)
    }
}
