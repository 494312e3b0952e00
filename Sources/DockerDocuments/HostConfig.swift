package import OCI

/// What a container has of the host, and what limits it.
package struct HostConfig: Hashable, Codable, Sendable {
    /// `SOURCE:TARGET[:ro]`.
    @OrNull package var binds: [String]?
    package var containerIDFile = ""
    package var log = HostConfig.Log()
    package var networkMode = ""
    package var portBindings: [String: [PortBinding]] = [:]
    package var restartPolicy = HostConfig.RestartPolicy()
    package var isRemovedAtEnd = false
    package var volumeDriver = ""
    @OrNull package var volumesFrom: [String]?
    @OrNull package var addedCapabilities: [String]?
    @OrNull package var droppedCapabilities: [String]?
    package var cgroupNamespaceMode = ""
    package var dns: [String] = []
    package var dnsOptions: [String] = []
    package var dnsSearch: [String] = []
    /// `NAME:ADDRESS`.
    @OrNull package var extraHosts: [String]?
    @OrNull package var addedGroups: [String]?
    package var ipcMode = "private"
    package var cgroup = ""
    @OrNull package var links: [String]?
    package var outOfMemoryScore = 0
    package var pidMode = ""
    package var isPrivileged = false
    package var publishesAllPorts = false
    package var isReadOnly = false
    @OrNull package var securityOptions: [String]?
    package var utsMode = ""
    package var userNamespaceMode = ""
    /// Bytes of `/dev/shm`.
    package var sharedMemory: Int64 = 0
    package var runtime = ""
    /// Rows and columns.
    package var consoleSize: [Int] = [0, 0]
    package var isolation = ""
    package var cpuShares: Int64 = 0
    /// Bytes.
    package var memory: Int64 = 0
    /// Billionths of a processor.
    package var nanoCpus: Int64 = 0
    package var cgroupParent = ""
    package var blkioWeight = 0
    package var blkioDeviceWeights: [JSONValue] = []
    package var blkioDeviceReadBps: [JSONValue] = []
    package var blkioDeviceWriteBps: [JSONValue] = []
    package var blkioDeviceReadOperations: [JSONValue] = []
    package var blkioDeviceWriteOperations: [JSONValue] = []
    package var cpuPeriod: Int64 = 0
    package var cpuQuota: Int64 = 0
    package var cpuRealtimePeriod: Int64 = 0
    package var cpuRealtimeRuntime: Int64 = 0
    package var cpusetCpus = ""
    package var cpusetMems = ""
    package var devices: [JSONValue] = []
    @OrNull package var deviceCgroupRules: [String]?
    @OrNull package var deviceRequests: [JSONValue]?
    /// Bytes.
    package var memoryReservation: Int64 = 0
    /// Bytes of memory and swap space together; -1 for any.
    package var memorySwap: Int64 = 0
    @OrNull package var memorySwappiness: Int?
    @OrNull package var isNotKilledOutOfMemory: Bool?
    @OrNull package var processLimit: Int64?
    @OrNull package var limits: [HostConfig.Limit]?
    package var cpuCount: Int64 = 0
    package var cpuPercent: Int64 = 0
    package var maximumIOOperations: Int64 = 0
    package var maximumIOBandwidth: Int64 = 0
    @OrNull package var maskedPaths: [String]?
    @OrNull package var readonlyPaths: [String]?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case binds = "Binds"
        case containerIDFile = "ContainerIDFile"
        case log = "LogConfig"
        case networkMode = "NetworkMode"
        case portBindings = "PortBindings"
        case restartPolicy = "RestartPolicy"
        case isRemovedAtEnd = "AutoRemove"
        case volumeDriver = "VolumeDriver"
        case volumesFrom = "VolumesFrom"
        case addedCapabilities = "CapAdd"
        case droppedCapabilities = "CapDrop"
        case cgroupNamespaceMode = "CgroupnsMode"
        case dns = "Dns"
        case dnsOptions = "DnsOptions"
        case dnsSearch = "DnsSearch"
        case extraHosts = "ExtraHosts"
        case addedGroups = "GroupAdd"
        case ipcMode = "IpcMode"
        case cgroup = "Cgroup"
        case links = "Links"
        case outOfMemoryScore = "OomScoreAdj"
        case pidMode = "PidMode"
        case isPrivileged = "Privileged"
        case publishesAllPorts = "PublishAllPorts"
        case isReadOnly = "ReadonlyRootfs"
        case securityOptions = "SecurityOpt"
        case utsMode = "UTSMode"
        case userNamespaceMode = "UsernsMode"
        case sharedMemory = "ShmSize"
        case runtime = "Runtime"
        case consoleSize = "ConsoleSize"
        case isolation = "Isolation"
        case cpuShares = "CpuShares"
        case memory = "Memory"
        case nanoCpus = "NanoCpus"
        case cgroupParent = "CgroupParent"
        case blkioWeight = "BlkioWeight"
        case blkioDeviceWeights = "BlkioWeightDevice"
        case blkioDeviceReadBps = "BlkioDeviceReadBps"
        case blkioDeviceWriteBps = "BlkioDeviceWriteBps"
        case blkioDeviceReadOperations = "BlkioDeviceReadIOps"
        case blkioDeviceWriteOperations = "BlkioDeviceWriteIOps"
        case cpuPeriod = "CpuPeriod"
        case cpuQuota = "CpuQuota"
        case cpuRealtimePeriod = "CpuRealtimePeriod"
        case cpuRealtimeRuntime = "CpuRealtimeRuntime"
        case cpusetCpus = "CpusetCpus"
        case cpusetMems = "CpusetMems"
        case devices = "Devices"
        case deviceCgroupRules = "DeviceCgroupRules"
        case deviceRequests = "DeviceRequests"
        case memoryReservation = "MemoryReservation"
        case memorySwap = "MemorySwap"
        case memorySwappiness = "MemorySwappiness"
        case isNotKilledOutOfMemory = "OomKillDisable"
        case processLimit = "PidsLimit"
        case limits = "Ulimits"
        case cpuCount = "CpuCount"
        case cpuPercent = "CpuPercent"
        case maximumIOOperations = "IOMaximumIOps"
        case maximumIOBandwidth = "IOMaximumBandwidth"
        case maskedPaths = "MaskedPaths"
        case readonlyPaths = "ReadonlyPaths"
    }
}

extension HostConfig {
    /// Where what a container prints goes.
    package struct Log: Hashable, Codable, Sendable {
        package var type = "json-file"
        package var config: [String: String] = [:]

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case type = "Type"
            case config = "Config"
        }
    }

    /// When a container that has ended is started again.
    package struct RestartPolicy: Hashable, Codable, Sendable {
        package var name = "no"
        package var maximumRetryCount = 0

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case name = "Name"
            case maximumRetryCount = "MaximumRetryCount"
        }
    }

    /// A limit of setrlimit(2).
    package struct Limit: Hashable, Codable, Sendable {
        /// Such as `nofile`.
        package var name = ""
        package var hard: Int64 = 0
        package var soft: Int64 = 0

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case name = "Name"
            case hard = "Hard"
            case soft = "Soft"
        }
    }
}

/// One of the host's ports.
package struct PortBinding: Hashable, Codable, Sendable {
    package var hostAddress = ""
    package var hostPort = ""

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case hostAddress = "HostIp"
        case hostPort = "HostPort"
    }
}
