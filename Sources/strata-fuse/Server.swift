import FUSE
import Glibc
import Linux
import UnionFS

/// Mounts, says that it is ready, serves until the mount is gone.
struct Server {
    let options: MountOptions

    init(_ options: MountOptions) { self.options = options }

    func run() -> Never {
        let readiness = detach()
        // The kernel passes the caller's umask along; ours must not add to it.
        umask(0)
        raiseDescriptorLimit()
        Session.blockSignals()
        let session: Session
        let union: Union
        do {
            try checkMountPoint()
            union = try Union(options.configuration)
            session = try Session(
                UnionFileSystem(union), mountPoint: options.mountPoint, options: sessionOptions(for: union))
            try session.start()
        } catch let failure as UnionFailure {
            readiness.fail(failure.message)
        } catch let failure as MountFailure {
            readiness.fail(failure.message)
        } catch {
            readiness.fail("cannot mount on \(options.mountPoint): \((error as? Errno)?.explained ?? "\(error)")")
        }
        readiness.ready()
        if session.wait() { union.finish() }
        // Not exit(3): a worker may still run.
        _exit(0)
    }

    /// The kernel would mount a directory over a file.
    private func checkMountPoint() throws(Errno) {
        _ = try FileDescriptor.open(options.mountPoint, [.path, .directory])
    }

    private func detach() -> Readiness {
        if options.isForeground { return Readiness(foregroundServer: "strata-fuse") }
        do throws(Errno) {
            return try Daemon.detach(name: "strata-fuse")
        } catch {
            fail("cannot start the server: \(error.explained)")
        }
    }

    private func sessionOptions(for union: Union) -> Session.Options {
        var result = Session.Options()
        let isRoot = geteuid() == 0
        result.mountOptions = ["default_permissions", "fsname=\(escape(options.source))", "subtype=strata-fuse"]
        let isForRoot = options.mountOptions.contains("allow_root")
        if (options.allowsOthers ?? isRoot) && !isForRoot { result.mountOptions.append("allow_other") }
        if isRoot { result.mountOptions += ["dev", "suid"] }
        result.mountOptions += options.mountOptions
        if options.configuration.isReadOnly && !options.mountOptions.contains("ro") { result.mountOptions.append("ro") }
        if hasSecurityContexts { result.mountOptions += options.securityContexts.map(escape) }
        result.capabilities.insert([.dontMask, .exportSupport])
        // An overlay on top that may open handles has objects by their handles alone. Since Linux 6.16 FUSE refuses those
        // unasked (ESTALE); without handles the overlay does what it needs them for in another way.
        if !options.isExported { result.capabilities.insert(.noExportSupport) }
        // The kernel does one or the other. Where it may do the former, gathering would only cost.
        if options.gathersWrites && !(isRootOfMachine && options.usesPassthrough) {
            result.capabilities.insert(.writebackCache)
        }
        if !options.usesPassthrough { result.capabilities.remove(.passthrough) }
        result.traces = options.traces
        if let maxWrite = options.maxWrite { result.maxWrite = maxWrite }
        if options.hasACLs && options.configuration.hasExtendedAttributes { result.capabilities.insert(.posixACL) }
        result.maxStackDepth = union.hasStackedLayers ? 2 : 1
        return result
    }

    /// Not of a user namespace only, which has a map of its own.
    private var isRootOfMachine: Bool {
        guard geteuid() == 0, let file = try? FileDescriptor.open("/proc/self/uid_map"),
            let bytes = try? file.readAll(limit: 4096)
        else { return false }
        return String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" } == ["0", "0", "4294967295"]
    }

    /// A kernel without SELinux refuses labels.
    private var hasSecurityContexts: Bool {
        (try? FileDescriptor.open("/sys/fs/selinux/enforce")) != nil
    }

    /// As libfuse wants a value that holds commas.
    private func escape(_ value: String) -> String {
        var result = ""
        for character in value {
            if character == "," || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result
    }

    /// As many open files as this process may have: without backing files each open file of the mount is one.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(7), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(7), &limit)
    }
}
