public import FoundationEssentials
import GRDB
import Linux
public import OCI

/// What a new container is made of.
public struct NewContainer: Sendable {
    /// The name; nil for a made-up one.
    public var name: String?
    /// The image; nil where a build begins from nothing.
    public var imageID: Digest?
    /// What the user called the image.
    public var imageName: String
    /// The layers below its writable directory, bottom first.
    public var layerIDs: [LayerID]
    /// The command and its arguments.
    public var arguments: [String]
    /// The runtime's own description; opaque to the store.
    public var configJSON: Data
    /// Whether it is a step of a build.
    public var isBuild: Bool

    /// Describes a container to be made.
    public init(
        name: String? = nil, imageID: Digest? = nil, imageName: String = "", layerIDs: [LayerID],
        arguments: [String] = [], configJSON: Data = Data(), isBuild: Bool = false
    ) {
        self.name = name
        self.imageID = imageID
        self.imageName = imageName
        self.layerIDs = layerIDs
        self.arguments = arguments
        self.configJSON = configJSON
        self.isBuild = isBuild
    }
}

extension ImageStore {
    /// Where a container's files are.
    public func containerPaths(_ id: String) -> ContainerPaths {
        ContainerPaths(directory: "\(root)/containers/\(id)")
    }

    /// Makes a container in state `created`: its record, and its directory with empty `upper`, `work` and `rootfs`.
    ///
    /// `upper` has the owner, mode and attributes of the image's `/`, which the union shows for its root. `nameInUse`
    /// when another container has the name, `badName` when it is not `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
    ///
    /// - Parameter events: what is reported of it.
    public func createContainer(
        _ new: NewContainer, events: (ContainerRecord) -> [StoreEvent] = { _ in [] }
    ) throws(StoreError) -> ContainerRecord {
        if let name = new.name { try ImageStore.requireContainerName(name) }
        let record = ContainerRecord(
            id: RandomName.hex(digits: 64), name: new.name ?? ContainerName.random(), imageID: new.imageID,
            imageName: new.imageName, layerIDs: new.layerIDs, createdAt: .now, state: .created, pid: nil,
            supervisor: nil, exitCode: nil, startedAt: nil, finishedAt: nil, arguments: new.arguments,
            configJSON: new.configJSON, isBuild: new.isBuild)
        try requireUsable(new.layerIDs)
        let workshop = try TemporaryDirectory(in: temporary)
        try attempting("create the container's directory") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("container", mode: 0o700)
            let home = try workshop.descriptor.open("container", [.directory])
            for name in ["upper", "work", "rootfs"] { try home.makeDirectory(name, exactMode: 0o755) }
            if let top = new.layerIDs.last {
                try copyRootAttributes(from: layerPath(top), to: home.open("upper", [.directory]))
            }
        }
        let place = "containers/\(record.id)"
        try announce([place])
        CrashPoint.reached("container-announced")
        do throws(StoreError) {
            let made = try catalog.write("create the container \(record.name)") { database in
                let stored = try ContainerRows.insert(record, choosesName: new.name == nil, in: database)
                // Within the transaction: a record always has its directory.
                let home = try FileDescriptor.open("\(root)/containers", [.directory])
                try workshop.descriptor.rename("container", to: home, stored.id)
                CrashPoint.reached("container-placed")
                try UnfinishedRows.remove([place], in: database)
                try note(events(stored), in: database)
                return stored
            }
            CrashPoint.reached("container-recorded")
            return made
        } catch {
            try? FileDescriptor.currentDirectory.removeTree("\(root)/\(place)")
            try? settle([place])
            throw error
        }
    }

    /// Throws `corrupt` where a container cannot stand on a layer: it is in quarantine, or its files are gone.
    private func requireUsable(_ layers: [LayerID]) throws(StoreError) {
        try catalog.read("look up the layers") { database in
            for id in layers { _ = try LayerRows.number(id, in: database) }
        }
        for id in layers {
            let status = try attempting("look at the layer \(id)") { () throws(Errno) in
                try FileDescriptor.currentDirectory.statusIfPresent(of: layerPath(id))
            }
            if status == nil {
                throw StoreError(
                    .corrupt, "the files of the layer \(id) are missing",
                    remedy: "pull, load, import or build the image again")
            }
        }
    }

    /// Changes a container's record in one transaction and returns the result. `id`, `layerIDs` and `isBuild` stay.
    ///
    /// - Parameters:
    ///   - events: what is reported of the container as it is then.
    ///   - change: makes the change.
    @discardableResult
    public func updateContainer(
        _ id: String, events: (ContainerRecord) -> [StoreEvent] = { _ in [] },
        _ change: (inout ContainerRecord) -> Void
    ) throws(StoreError) -> ContainerRecord {
        try catalog.write("update the container \(id.prefix(12))") { database in
            guard var record = try ContainerRows.find(id: id, in: database) else {
                throw StoreError(.noSuchContainer, "No such container: \(id)")
            }
            let name = record.name
            change(&record)
            if record.name != name { try ImageStore.requireContainerName(record.name) }
            try ContainerRows.update(record, in: database)
            try note(events(record), in: database)
            return record
        }
    }

    /// All containers, newest first; those of builds only on request.
    public func containers(includingBuilds: Bool = false) throws(StoreError) -> [ContainerRecord] {
        try catalog.read("list the containers") { database in
            try ContainerRows.all(in: database).filter { includingBuilds || !$0.isBuild }
        }
    }

    /// The container that a user means by a name, an ID or the beginning of one.
    ///
    /// `noSuchContainer` where there is none, `ambiguous` where a beginning fits several.
    public func container(matching text: String) throws(StoreError) -> ContainerRecord {
        let found = try catalog.read("look up the container \(text)") { database in
            try ContainerRows.find(matching: text, in: database)
        }
        guard let found else { throw StoreError(.noSuchContainer, "No such container: \(text)") }
        return found
    }

    /// Removes a container's record and its directory, and layers that nothing else keeps. The runtime ends its process
    /// and its mount first: `conflict` while something is mounted on `rootfs`.
    ///
    /// - Parameter events: what is reported of it.
    public func removeContainer(_ id: String, events: [StoreEvent] = []) throws(StoreError) {
        try refuseIfMounted(id)
        let layers: [Int64]
        do throws(StoreError) {
            layers = try removeContainerRecord(id, events)
        } catch {
            guard error.code == .noSpace else { throw error }
            // What the container wrote may be what fills the disk, and it goes in any case.
            try? FileDescriptor.currentDirectory.removeTree(containerPaths(id).upper)
            layers = try removeContainerRecord(id, events)
        }
        CrashPoint.reached("container-forgotten")
        try attempting("remove the files of the container \(id.prefix(12))") { () throws(Errno) in
            try FileDescriptor.currentDirectory.removeTree(containerPaths(id).directory)
        }
        try settle(["containers/\(id)"])
        try removeUnusedLayers(among: layers)
    }

    /// Returns the layers that the container stood on.
    private func removeContainerRecord(_ id: String, _ events: [StoreEvent]) throws(StoreError) -> [Int64] {
        try catalog.write("remove the container \(id.prefix(12))", freesSpace: true) { database in
            let layers = try Int64.fetchAll(
                database,
                sql: """
                    SELECT DISTINCT layer FROM container_layers JOIN containers ON containers.number = container
                    WHERE containers.id = ?
                    """, arguments: [id])
            try database.execute(sql: "DELETE FROM containers WHERE id = ?", arguments: [id])
            if database.changesCount == 0 { throw StoreError(.noSuchContainer, "No such container: \(id)") }
            try UnfinishedRows.add(["containers/\(id)"], in: database)
            try note(events, in: database)
            return layers
        }
    }

    /// Removing the files below a mount would remove what is mounted there: volumes of the host's, among others.
    private func refuseIfMounted(_ id: String) throws(StoreError) {
        let paths = containerPaths(id)
        let isMounted = try attempting("look at the mounts of the container \(id.prefix(12))") {
            () throws(Errno) in
            do throws(Errno) {
                return try MountPlace(paths.rootfs).isMountPoint()
            } catch {
                if error == .ENOENT || error == .ENOTDIR { return false }
                throw error
            }
        }
        if isMounted {
            throw StoreError(
                .conflict, "cannot remove the container \(id.prefix(12)): its file system is still mounted",
                remedy: "unmount \(paths.rootfs)")
        }
    }

    private static func requireContainerName(_ name: String) throws(StoreError) {
        let bytes = Array(name.utf8)
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        let allowed = bytes.allSatisfy { isPlain($0) || "_.-".utf8.contains($0) }
        guard let first = bytes.first, isPlain(first), allowed, bytes.count > 1, bytes.count <= 128 else {
            throw StoreError(
                .badName,
                "Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, 2 to 128 of them")
        }
    }

    /// Gives a new upper directory what the union shows for its root.
    func copyRootAttributes(from path: String, to upper: borrowing FileDescriptor) throws(Errno) {
        let marks = marks
        let source = try FileDescriptor.open(path, [.directory])
        let status = try source.status()
        try upper.setOwner(uid: status.uid, gid: status.gid)
        try upper.copyAttributes(of: source, lenient: true) { marks.isMark($0) ? nil : $0 }
        try upper.setMode(status.permissions)
    }
}
