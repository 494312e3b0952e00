internal import FUSE
internal import Glibc
internal import Linux

extension Union {
    /// Opens the directories of a union and prepares its work directory.
    public convenience init(_ configuration: Configuration) throws(UnionFailure) {
        guard !configuration.lower.isEmpty else { throw UnionFailure(.incomplete, "no lower directory given") }
        var configuration = configuration
        var setup = Setup(configuration)
        var upper: Layer?
        var work: WorkDirectory?
        if let path = configuration.upper {
            guard let workPath = configuration.work else {
                throw UnionFailure(.incomplete, "upperdir \(path) needs a workdir on the same file system")
            }
            let layer = try setup.open(path, index: 0, "upperdir")
            if !configuration.isReadOnly {
                let directory = try setup.openWork(workPath, beside: layer, path)
                try setup.checkWhiteouts(directory, workPath, path)
                work = directory
            }
            upper = layer
        }
        configuration.usesUserAttributes = setup.usesUserAttributes
        var overlaps = OverlapCheck()
        if let upper { overlaps.reserve(upper.root, "upperdir") }
        if let work { overlaps.reserve(work.lock, "workdir") }
        var lowers: [Layer] = []
        for (index, path) in configuration.lower.enumerated() {
            let lower = try setup.open(path, index: index + 1, "lowerdir")
            if let role = overlaps.conflict(of: lower.root) {
                throw UnionFailure(.overlap, "lowerdir \(path) lies in the \(role)")
            }
            lowers.append(lower)
        }
        var dataLayers: [Layer] = []
        for (index, path) in configuration.dataOnly.enumerated() {
            let layer = try setup.open(path, index: lowers.count + index + 1, "data-only lowerdir")
            if let role = overlaps.conflict(of: layer.root) {
                throw UnionFailure(.overlap, "data-only lowerdir \(path) lies in the \(role)")
            }
            dataLayers.append(layer)
        }
        var marks = configuration.usesUserAttributes ? Marks.user : .trusted
        marks.readsForeign = !configuration.ignoresForeignMarks
        let stack = LayerStack(upper: upper, lowers: lowers, dataLayers: dataLayers, marks: marks)
        do throws(Errno) {
            try self.init(stack: stack, work: work, configuration: configuration)
        } catch {
            throw UnionFailure(.directory, "cannot read lowerdir \(configuration.lower[0]): \(error.explained)")
        }
    }
}

extension Union {
    /// Takes what the session offers. Called before the first request.
    func begin(_ session: Session) {
        kernel = KernelCache(session: session)
        if session.passthroughIsAvailable { backings = Backings(session: session, isAvailable: true) }
        let agreed = session.capabilities
        table.forgotten.isEnabled = agreed.contains(.exportSupport) && !agreed.contains(.noExportSupport)
    }
}

/// Opens layers and numbers the file systems they are on.
private struct Setup {
    let configuration: Configuration
    /// Where marks are kept; found out with the work directory.
    private(set) var usesUserAttributes: Bool
    private var fileSystems: [(device: UInt64, uuid: [UInt8], hasHandles: Bool)] = []
    private var mounts: LayerMounts

    init(_ configuration: Configuration) {
        self.configuration = configuration
        mounts = LayerMounts(accessTimes: configuration.accessTimes)
        usesUserAttributes = configuration.usesUserAttributes || geteuid() != 0
    }

    mutating func open(_ path: String, index: Int, _ role: String) throws(UnionFailure) -> Layer {
        do throws(Errno) {
            return try layer(try mounts.open(path, isWritable: index == 0), index: index)
        } catch {
            throw UnionFailure(.directory, "cannot open \(role) \(path): \(error.explained)")
        }
    }

    mutating func layer(_ root: consuming FileDescriptor, index: Int) throws(Errno) -> Layer {
        let device = try root.status().device
        let number = fileSystems.firstIndex { $0.device == device } ?? fileSystems.count
        if number == fileSystems.count {
            let uuid = root.fileSystemUUID() ?? [UInt8](repeating: 0, count: 16)
            fileSystems.append((device, uuid, (try? root.fileHandle()) != nil))
        }
        return Layer(
            index: index, root: root, device: device, fileSystem: UInt8(clamping: min(number, 127)),
            uuid: fileSystems[number].uuid, hasHandles: fileSystems[number].hasHandles)
    }

    mutating func openWork(
        _ path: String, beside upper: Layer, _ upperPath: String
    ) throws(UnionFailure) -> WorkDirectory {
        let layer = try open(path, index: 0, "workdir")
        if layer.device != upper.device {
            throw UnionFailure(
                .differentFileSystems, "workdir \(path) is not on the same file system as upperdir \(upperPath)")
        }
        if (try? layer.root.mountID(of: ".")) != (try? upper.root.mountID(of: ".")) {
            throw UnionFailure(
                .differentFileSystems, "workdir \(path) is not on the same mount as upperdir \(upperPath)")
        }
        try checkSeparate(layer, path, upper, upperPath)
        let lock = try lock(layer, path, and: upper, upperPath)
        if let refusal = WorkDirectory.refusal(of: layer, path) { throw refusal }
        do throws(Errno) {
            try WorkDirectory.prepare(layer, isVolatile: configuration.isVolatile)
            // Whoever is not root of the machine keeps marks in `user.` attributes, asked for or not.
            if !layer.root.takesTrustedAttributes() { usesUserAttributes = true }
            let work = try layer.root.open("work", [.readOnly, .directory])
            let index = HardLinkIndex(
                layer: try self.layer(layer.root.open("index", [.readOnly, .directory]), index: 0),
                count: try prepareIndex(layer, for: upper))
            let workLayer = try self.layer(work, index: 0)
            index.loadPending(beside: workLayer, over: upper)
            return WorkDirectory(lock: lock, layer: workLayer, index: index)
        } catch {
            throw UnionFailure(.work, "cannot prepare workdir \(path): \(error.explained)")
        }
    }

    /// An upper directory has to be able to hold whiteouts, which those of another union are not.
    func checkWhiteouts(_ work: WorkDirectory, _ path: String, _ upperPath: String) throws(UnionFailure) {
        do throws(Errno) {
            try work.makeSharedWhiteout()
        } catch {
            guard error == .EPERM else {
                throw UnionFailure(.work, "cannot prepare workdir \(path): \(error.explained)")
            }
            throw UnionFailure(
                .work,
                "upperdir \(upperPath) is on a file system that cannot hold whiteouts, such as another union: "
                    + "use a directory outside of it")
        }
    }

    /// Keeps other mounts off both directories, whatever paths lead to them, until the descriptors are closed.
    private func lock(
        _ work: Layer, _ workPath: String, and upper: Layer, _ upperPath: String
    ) throws(UnionFailure) -> FileDescriptor {
        var (role, path) = ("workdir", workPath)
        do throws(Errno) {
            let lock = try work.root.open(".", [.readOnly, .directory])
            try waitForLock(lock)
            (role, path) = ("upperdir", upperPath)
            try waitForLock(upper.root)
            return lock
        } catch {
            if error == .EBUSY { throw UnionFailure(.busy, "\(role) \(path) is in use by another mount: \(error)") }
            throw UnionFailure(.work, "cannot lock \(role) \(path): \(error.explained)")
        }
    }

    /// The server of a mount that has just been taken down may need a moment to let go.
    private func waitForLock(_ directory: borrowing FileDescriptor) throws(Errno) {
        let end = MonotonicClock.milliseconds + 3000
        while try !directory.lock(exclusive: true, blocking: false) {
            if MonotonicClock.milliseconds > end { throw .EBUSY }
            MonotonicClock.sleep(milliseconds: 5)
        }
    }

    private func checkSeparate(
        _ work: Layer, _ workPath: String, _ upper: Layer, _ upperPath: String
    ) throws(UnionFailure) {
        var (belowUpper, belowWork) = (OverlapCheck(), OverlapCheck())
        belowUpper.reserve(upper.root, "upperdir")
        belowWork.reserve(work.root, "workdir")
        if belowUpper.conflict(of: work.root) != nil || belowWork.conflict(of: upper.root) != nil {
            throw UnionFailure(
                .overlap, "workdir \(workPath) and upperdir \(upperPath) must not be the same or lie in each other")
        }
    }

    /// Empties an index that belongs to another upper directory, and returns the number of its entries.
    private func prepareIndex(_ layer: Layer, for upper: Layer) throws(Errno) -> Int {
        let index = try layer.root.open("index", [.readOnly, .directory])
        let name = (usesUserAttributes ? "user." : "trusted.") + "overlay.upper"
        let mark = try upperMark(upper)
        if try index.attribute(name) == mark { return try index.sortedEntryNames().count }
        for entry in try index.sortedEntryNames() { try index.removeTree(entry) }
        try layer.root.removeTree("links")
        try? index.setAttribute(name, mark)
        return 0
    }

    /// The upper directory's handle as the kernel notes it on an index: the format of an origin, with a flag. Its inode
    /// number where the file system has no handles.
    private func upperMark(_ upper: Layer) throws(Errno) -> [UInt8] {
        var handle = FileHandle(type: 0, bytes: [])
        if let own = try? upper.root.fileHandle(), own.bytes.count <= 200 {
            handle = own
        } else {
            handle.bytes = Array("\(try upper.root.status().inode)".utf8)
        }
        let flags: UInt8 = (1.littleEndian == 1 ? 0 : 1) | 4
        return [0, 0xfb, UInt8(handle.bytes.count + 21), flags, UInt8(truncatingIfNeeded: handle.type)] + upper.uuid
            + handle.bytes
    }
}

extension Union {
    /// Notes link counts for the next mount, once after the unmount, so that the upper directory says everything by itself.
    /// Nothing may be asked of the union afterwards.
    public func finish() {
        guard let work else { return }
        work.index.savePending(beside: work.layer)
    }
}
