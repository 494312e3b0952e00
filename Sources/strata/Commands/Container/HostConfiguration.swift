import Rendering
import Runtime

/// What a container has of the host as `inspect` shows it: Docker's `HostConfig`.
struct HostConfiguration {
    let settings: ContainerSettings?

    private var isolation: Isolation { settings?.isolation ?? Isolation() }

    /// `host` or `none`.
    var networkMode: String { isolation.network.rawValue }

    /// The members in Docker's order.
    var value: Value {
        let resources = isolation.resources
        return .members([
            "Binds": .optional(binds.isEmpty ? nil : binds),
            "NetworkMode": .string(networkMode),
            "AutoRemove": .bool(settings?.autoRemove ?? false),
            "CapAdd": list(isolation.addedCapabilities),
            "CapDrop": list(isolation.droppedCapabilities),
            "Privileged": .bool(isolation.isPrivileged),
            "PublishAllPorts": .bool(settings?.publishAll ?? false),
            "ReadonlyRootfs": .bool(isolation.isReadOnly),
            "SecurityOpt": list(isolation.securityOptions),
            "CpuShares": .integer(resources.processorShares),
            "Memory": .integer(resources.memory),
            "NanoCpus": .integer(resources.nanoProcessors),
            "CpusetCpus": .string(resources.processorSet),
            "MemoryReservation": .integer(resources.memoryReservation),
            "MemorySwap": .integer(resources.effectiveMemoryAndSwap),
            "PidsLimit": resources.processes > 0 ? .integer(resources.processes) : .null,
        ])
    }

    private func list(_ values: [String]) -> Value { .optional(values.isEmpty ? nil : values) }

    private var binds: [String] {
        (settings?.volumes ?? []).compactMap { volume in
            switch volume.source {
            case .host(let source), .named(let source):
                "\(source):\(volume.destination)\(volume.readOnly ? ":ro" : "")"
            case .anonymous: nil
            }
        }
    }
}
