import GRDB
import Linux
public import OCI

extension ImageStore {
    /// Records a mount; its layers stay while the record does. A record of the same mount point is replaced.
    public func addMount(_ mount: MountRecord) throws(StoreError) {
        try catalog.write("record the mount at \(mount.mountPoint)") { database in
            try database.execute(sql: "DELETE FROM mounts WHERE mount_point = ?", arguments: [mount.mountPoint])
            try database.execute(
                sql: """
                    INSERT INTO mounts (mount_point, image_id, container_id, read_only, server_pid, server_start,
                    created_at, mount_id, device) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    mount.mountPoint, mount.imageID?.description, mount.containerID, mount.readOnly, mount.server.pid,
                    Int64(bitPattern: mount.server.startTime), mount.createdAt.description,
                    mount.identity.map { Int64(bitPattern: $0.id) },
                    mount.identity.map { Int64(bitPattern: $0.device) },
                ])
            try LayerRows.connect(
                mount.layerIDs, to: database.lastInsertedRowID, table: "mount_layers", column: "mount", in: database)
        }
    }

    /// Forgets a mount, and removes layers that nothing else keeps. No error where there is no such record.
    public func removeMount(at mountPoint: String) throws(StoreError) {
        let layers = try catalog.write("forget the mount at \(mountPoint)") { database in
            let layers = try Int64.fetchAll(
                database,
                sql: """
                    SELECT DISTINCT layer FROM mount_layers JOIN mounts ON mounts.number = mount WHERE mount_point = ?
                    """, arguments: [mountPoint])
            try database.execute(sql: "DELETE FROM mounts WHERE mount_point = ?", arguments: [mountPoint])
            return layers
        }
        if !layers.isEmpty { try removeUnusedLayers(among: layers) }
    }

    /// All recorded mounts, oldest first; whether their servers live is for the caller to ask (`server.isAlive`).
    public func mounts() throws(StoreError) -> [MountRecord] {
        try catalog.read("list the mounts") { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT number, mount_point, image_id, container_id, read_only, server_pid, server_start, created_at,
                    mount_id, device FROM mounts ORDER BY number
                    """
            ).map { row in
                var identity: MountIdentity?
                if let id: Int64 = row["mount_id"], let device: Int64 = row["device"] {
                    identity = MountIdentity(id: UInt64(bitPattern: id), device: UInt64(bitPattern: device))
                }
                return MountRecord(
                    mountPoint: row["mount_point"], imageID: try row.digest("image_id"),
                    containerID: row["container_id"],
                    layerIDs: try LayerRows.stack(
                        of: row["number"], table: "mount_layers", column: "mount", in: database),
                    readOnly: row["read_only"],
                    server: ProcessIdentity(
                        pid: row["server_pid"], startTime: UInt64(bitPattern: row["server_start"] as Int64)),
                    identity: identity, createdAt: try row.timestamp("created_at"))
            }
        }
    }
}
