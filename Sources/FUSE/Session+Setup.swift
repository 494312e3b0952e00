internal import CFuse
internal import Glibc
internal import Linux

extension Session {
    /// The last line of libfuse, or what errno says.
    static var lastMessage: String {
        let number = Errno.current
        let message = String(cString: cfuse_last_message())
        return message.isEmpty ? number.explained : message
    }

    /// Absolute, because the server changes to the root directory before it unmounts.
    static func absolutePath(of mountPoint: String) throws(MountFailure) -> String {
        guard let resolved = realpath(mountPoint, nil) else {
            throw MountFailure("cannot mount on \(mountPoint): \(Errno.current)")
        }
        defer { free(resolved) }
        // libfuse would mount on a file as well, and hide it behind a root that cannot be entered.
        do throws(Errno) {
            guard try FileDescriptor.currentDirectory.status(of: resolved).isDirectory else { throw .ENOTDIR }
        } catch {
            throw MountFailure("cannot mount on \(mountPoint): \(error)")
        }
        return String(cString: resolved)
    }

    static func makePipe() throws(MountFailure) -> Pipe {
        do throws(Errno) {
            return try FileDescriptor.pipe()
        } catch {
            throw MountFailure("cannot make a pipe: \(error.explained)")
        }
    }

    static func makeCore(_ fileSystem: FileSystem, _ options: Options) throws(MountFailure) -> OpaquePointer {
        var arguments = ["fuse"]
        for option in options.mountOptions { arguments += ["-o", option] }
        var parameters = cfuse_parameters()
        parameters.wanted = options.capabilities.rawValue
        parameters.max_write = min(max(options.maxWrite, 4096), 1 << 20)
        parameters.max_readahead = options.maxReadahead
        parameters.max_background = UInt32(options.maxBackground)
        parameters.congestion_threshold = UInt32(options.congestionThreshold)
        parameters.max_stack_depth = options.maxStackDepth
        parameters.splice_replies = options.spliceReplies ? 1 : 0
        parameters.traces = options.traces ? 1 : 0
        parameters.root_only = options.mountOptions.contains("allow_root") ? 1 : 0
        var operations = makeOperations()
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        let context = Unmanaged.passUnretained(fileSystem).toOpaque()
        let count = Int32(truncatingIfNeeded: pointers.count)
        pointers.append(nil)
        guard let core = cfuse_session_new(count, &pointers, &operations, context, &parameters) else {
            throw MountFailure("mount options not understood: \(lastMessage)")
        }
        return core
    }
}
