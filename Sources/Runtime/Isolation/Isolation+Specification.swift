extension Isolation {
    /// The standard mounts as this isolation has them.
    func mounts(_ standard: [RuntimeSpecification.Mount]) -> [RuntimeSpecification.Mount] {
        standard.map { mount in
            var mount = mount
            if let sharedMemory, mount.destination == "/dev/shm" {
                mount.options = mount.options.map { $0.hasPrefix("size=") ? "size=\(sharedMemory)" : $0 }
            }
            if isPrivileged, mount.type == "sysfs" || mount.type == "cgroup" { mount.options.removeAll { $0 == "ro" } }
            return mount
        }
    }

    /// Sets in the description of a process what it may do: the container's first one and further ones alike.
    func apply(to process: inout RuntimeSpecification.Process) throws(RuntimeError) {
        let security = try SecurityOptions(securityOptions)
        process.capabilities = try capabilities()
        process.noNewPrivileges = security.hasNoNewPrivileges
        process.apparmorProfile = security.appArmorProfile
        if !limits.isEmpty { process.rlimits = limits }
    }

    /// Sets in a configuration what differs from the defaults.
    ///
    /// - Parameter hasCgroups: whether limits of what it uses can be set.
    func apply(to specification: inout RuntimeSpecification, hasCgroups: Bool) throws(RuntimeError) {
        specification.root.readonly = isReadOnly
        if let namespace = network.namespace { specification.linux.namespaces.append(namespace) }
        if hasCgroups {
            resources.apply(to: &specification.linux.resources)
        } else {
            specification.linux.cgroupsPath = nil
        }
        if isPrivileged || !masksSystemPaths {
            specification.linux.maskedPaths = nil
            specification.linux.readonlyPaths = nil
        }
        if isPrivileged {
            specification.linux.resources.devices = [.init(allow: true, type: nil, access: "rwm")]
        } else {
            let set = Set(specification.process.capabilities?.bounding ?? [])
            specification.linux.seccomp = try SecurityOptions(securityOptions).profile()?.filter(
                for: SeccompProfile.Subject(capabilities: set))
        }
    }

    /// What it may do: Docker's usual capabilities, but no raw packets on the host's network, and the changes asked for.
    private func capabilities() throws(RuntimeError) -> RuntimeSpecification.Capabilities {
        if isPrivileged { return RuntimeSpecification.Capabilities(Capability.available) }
        return RuntimeSpecification.Capabilities(
            Capability.changed(
                network.usualCapabilities, adding: addedCapabilities, dropping: droppedCapabilities))
    }
}
