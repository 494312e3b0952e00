internal import FUSE
internal import Linux

// What each option means: those of the kernel's overlay (Documentation/filesystems/overlayfs.rst), of fuse-overlayfs up to 2.0,
// of libfuse, and of mount(8).
extension MountOptions {
    mutating func apply(_ name: String, _ value: String?) throws(Failure) {
        if try applyDirectory(name, value) { return }
        if try applyOwners(name, value) { return }
        if try applyKernel(name, value) { return }
        if try applyUnion(name, value) { return }
        if try checkChoice(name, value) { return }
        if Self.needless.contains(name) || name.hasPrefix("x-") { return }
        switch name {
        case "plugins" where value?.isEmpty != false: return
        case "verity", "plugins": throw Failure("option \(name) is not supported")
        default: throw Failure("unknown option \(name)")
        }
    }

    private mutating func applyDirectory(_ name: String, _ value: String?) throws(Failure) -> Bool {
        switch name {
        case "lowerdir":
            let directories = Self.split(try Self.need(name, value), at: ":")
            if let layer = directories.first(where: { $0.hasPrefix("//") && $0.dropFirst(2).contains("//") }) {
                throw Failure("option lowerdir names a plugin, which is not supported: \(layer)")
            }
            try takeLayers(directories)
        case "lowerdir+": configuration.lower.append(try Self.need(name, value))
        case "datadir+": configuration.dataOnly.append(try Self.need(name, value))
        case "upperdir": configuration.upper = Self.unescape(try Self.need(name, value))
        case "workdir": configuration.work = Self.unescape(try Self.need(name, value))
        default: return false
        }
        return true
    }

    /// Layers, and data-only layers behind double colons: `a:b::data::data`.
    private mutating func takeLayers(_ directories: [String]) throws(Failure) {
        let layers = directories.prefix { !$0.isEmpty }
        var dataOnly: [String] = []
        let rest = Array(directories.dropFirst(layers.count))
        for (index, directory) in rest.enumerated() {
            if directory.isEmpty != index.isMultiple(of: 2) || index + 1 == rest.count && directory.isEmpty {
                throw Failure("option lowerdir names an empty directory")
            }
            if !directory.isEmpty { dataOnly.append(Self.unescape(directory)) }
        }
        if layers.isEmpty { throw Failure("option lowerdir names an empty directory") }
        configuration.lower = layers.map(Self.unescape)
        configuration.dataOnly = dataOnly
    }

    /// Who owns files.
    private mutating func applyOwners(_ name: String, _ value: String?) throws(Failure) -> Bool {
        switch name {
        case "uidmapping", "gidmapping":
            let text = try Self.need(name, value)
            let isUsers = name == "uidmapping"
            let overflow = Self.overflowID(isUsers ? "uid" : "gid")
            guard var mapping = IDMapping(text, overflow: overflow) else {
                throw Failure("option \(name) needs triples of layer's id, shown id and count, not \(text)")
            }
            mapping.squashed = isUsers ? configuration.owners.users.squashed : configuration.owners.groups.squashed
            if isUsers { configuration.owners.users = mapping } else { configuration.owners.groups = mapping }
        case "squash_to_uid": configuration.owners.users.squashed = try Self.number(name, value)
        case "squash_to_gid": configuration.owners.groups.squashed = try Self.number(name, value)
        case "squash_to_root":
            // The other two win, wherever they stand.
            configuration.owners.users.squashed = configuration.owners.users.squashed ?? 0
            configuration.owners.groups.squashed = configuration.owners.groups.squashed ?? 0
        case "xattr_permissions":
            if try Self.number(name, value) != 0 { throw Failure("option \(name) is not supported") }
        default: return false
        }
        return true
    }

    /// What the kernel or libfuse does.
    private mutating func applyKernel(_ name: String, _ value: String?) throws(Failure) -> Bool {
        switch name {
        case "ro", "rw":
            configuration.isReadOnly = name == "ro"
            mountOptions.removeAll { $0 == "ro" || $0 == "rw" }
            mountOptions.append(name)
        case "sync" where value != nil: configuration.syncs = try Self.number(name, value) != 0
        case "dev", "nodev", "suid", "nosuid", "exec", "noexec", "sync", "async", "dirsync", "auto_unmount":
            mountOptions.append(name)
        case "atime", "noatime":
            mountOptions.append(name)
            configuration.accessTimes = name == "noatime" ? .kept : .changed
        // For the kernel there are no times of a FUSE mount but those that the server tells.
        case "nodiratime" where configuration.accessTimes == .changed: configuration.accessTimes = .keptOfDirectories
        case "diratime" where configuration.accessTimes == .keptOfDirectories: configuration.accessTimes = .changed
        case "nodiratime", "diratime": break
        case "allow_other", "noallow_other": allowsOthers = name == "allow_other"
        case "allow_root": mountOptions.append(name)
        case "fsname":
            source = try Self.need(name, value)
            hasSource = true
        case "max_read": mountOptions.append("max_read=\(try Self.number(name, value))")
        case "max_write": maxWrite = try Self.number(name, value)
        case "writeback": gathersWrites = try Self.isOn(name, value)
        case "nfs_export": isExported = try Self.isOn(name, try Self.need(name, value))
        case "passthrough": usesPassthrough = try Self.isOn(name, value)
        case "context", "fscontext", "defcontext", "rootcontext":
            securityContexts.append("\(name)=\(Self.unquote(try Self.need(name, value)))")
        default: return false
        }
        return true
    }

    /// What the union does.
    private mutating func applyUnion(_ name: String, _ value: String?) throws(Failure) -> Bool {
        switch name {
        case "volatile": configuration.isVolatile = true
        case "fsync":
            // A number for fuse-overlayfs, a word for the kernel.
            switch try Self.need(name, value) {
            case "volatile": configuration.isVolatile = true
            case "auto", "ordered", "strict": break
            default: configuration.syncs = try Self.number(name, value) != 0
            }
        case "metacopy": configuration.usesMetacopy = try Self.isOn(name, try Self.need(name, value))
        case "userxattr": configuration.usesUserAttributes = true
        case "nouserxattr": configuration.usesUserAttributes = false
        case "foreign_marks": configuration.ignoresForeignMarks = try !Self.isOn(name, try Self.need(name, value))
        case "shared_dirs":
            configuration.sharedDirectories = SharedDirectories(
                Self.split(try Self.need(name, value), at: ":").map(Self.unescape))
        case "noacl": hasACLs = false
        case "noxattr", "noxattrs": configuration.hasExtendedAttributes = value == "0"
        case "static_nlink": configuration.hasStaticLinkCounts = true
        case "ino32_t": configuration.hasShortInodeNumbers = true
        case "timeout":
            let text = try Self.need(name, value)
            guard let seconds = Double(text), seconds >= 0 else {
                throw Failure("option timeout needs seconds, not \(text)")
            }
            if seconds >= 1e9 {
                configuration.timeout = .unlimited
            } else {
                let fraction = min((seconds - seconds.rounded(.down)) * 1e9, 999_999_999)
                configuration.timeout = Timeout(seconds: UInt64(seconds), nanoseconds: UInt32(fraction))
            }
        default: return false
        }
        return true
    }

    // MARK: Options without an effect

    /// What the kernel's overlay lets one choose and the union always does, or finds out by itself.
    private static let choices: [String: Set<String>] = [
        "redirect_dir": ["on", "off", "follow", "nofollow"],
        "index": ["on", "off"],
        "xino": ["on", "off", "auto"],
        "uuid": ["on", "off", "auto", "null"],
        "verity": ["off"],
    ]

    private func checkChoice(_ name: String, _ value: String?) throws(Failure) -> Bool {
        guard let allowed = Self.choices[name] else { return false }
        let value = try Self.need(name, value)
        if !allowed.contains(value) { throw Failure("option \(name) cannot be \(value)") }
        return true
    }

    /// Options that say what happens anyway, or that tune what there is nothing to tune of.
    private static let needless: Set<String> = [
        // Every request is checked by the kernel, and mounting over a directory that is not empty is allowed.
        "default_permissions", "nonempty",
        // Threads, caches and copies of libfuse's and fuse-overlayfs's.
        "threaded", "clone_fd", "max_threads", "max_idle_threads", "big_writes", "fast_ino",
        "fast_ino_check",
        "kernel_cache", "auto_cache", "splice_read", "splice_write", "splice_move", "no_splice_read", "no_splice_write",
        "no_splice_move", "async_read", "sync_read", "max_background", "congestion_threshold", "max_readahead",
        "subtype",
        // Times of access are the layers' affair.
        "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime",
        // For mount(8) and fstab(5).
        "auto", "noauto", "defaults", "user", "nouser", "users", "nousers", "owner", "group", "_netdev", "nofail",
        "silent",
        "loud", "iversion", "noiversion", "mand", "nomand", "comment",
        // Output, and whose rights count in the layers: always the server's.
        "debug", "override_creds", "nooverride_creds",
    ]

    // MARK: Values

    private static func number(_ name: String, _ value: String?) throws(Failure) -> UInt32 {
        let text = try need(name, value)
        guard let number = UInt32(text) else { throw Failure("option \(name) needs a number, not \(text)") }
        return number
    }

    private static func isOn(_ name: String, _ value: String?) throws(Failure) -> Bool {
        switch value {
        case nil, "on", "1": return true
        case "off", "0": return false
        case .some(let text): throw Failure("option \(name) is on or off, not \(text)")
        }
    }

    private static func unquote(_ text: String) -> String { text.filter { $0 != "\"" } }

    /// What the kernel shows where an id has no meaning in a namespace.
    private static func overflowID(_ kind: String) -> UInt32 {
        guard let file = try? FileDescriptor.open("/proc/sys/kernel/overflow\(kind)"),
            let bytes = try? file.readAll(limit: 32)
        else { return 65534 }
        return UInt32(String(decoding: bytes.prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self)) ?? 65534
    }
}
