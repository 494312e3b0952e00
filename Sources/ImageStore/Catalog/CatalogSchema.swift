import GRDB
import OCI

/// The tables of the catalog.
enum CatalogSchema {
    /// Kept in `user_version`; a store of a later version is refused rather than misread.
    static let version = 6

    static func install(in database: Database) throws {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if found == version { return }
        if found == 1 {
            throw StoreError(
                .corrupt, "the store was made by an early version of Strata (format \(found), this one is \(version))",
                remedy: "remove it, or use another with --root")
        }
        if found > version {
            throw StoreError(
                .corrupt,
                "the store was made by a later version of Strata (format \(found), this one knows \(version))",
                remedy: "use that version")
        }
        try database.inTransaction(.immediate) {
            if found == 0 { try database.execute(sql: tables) }
            if found == 2 { try database.execute(sql: columns) }
            if found < 3 { try database.execute(sql: additions) }
            if found < 4 { try database.execute(sql: StepInputsRows.tables) }
            if found < 5 { try database.execute(sql: mountIdentities) }
            if found < 6 { try database.execute(sql: EventRows.tables + cacheKinds) }
            try database.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// New in format 5: which mount a record is of, see `MountIdentity`; NULL in records of before.
    private static let mountIdentities = """
        ALTER TABLE mounts ADD COLUMN mount_id INTEGER;
        ALTER TABLE mounts ADD COLUMN device INTEGER;
        """

    /// New in format 6: what a record of the cache is about, which only its key told before.
    private static let cacheKinds = """
        ALTER TABLE cache RENAME COLUMN configuration_delta TO value;
        ALTER TABLE cache ADD COLUMN kind TEXT NOT NULL DEFAULT '';
        UPDATE cache SET kind = CASE substr(key, 1, instr(key, ':'))
            WHEN 'step:' THEN 'step' WHEN 'content:' THEN 'selection' WHEN 'context:' THEN 'files' ELSE 'layer' END;
        """

    /// What a store of format 2 lacks besides `additions`.
    private static let columns = """
        ALTER TABLE layers ADD COLUMN is_broken INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE images ADD COLUMN document_usage INTEGER NOT NULL DEFAULT 0;
        """

    /// New in format 3; format 4 brought `StepInputsRows.tables`.
    private static let additions = """
        CREATE INDEX dead_layers ON layers (number) WHERE is_dead;
        CREATE INDEX broken_layers ON layers (number) WHERE is_broken;
        -- Files outside tmp that a process is about to publish or to remove; see UnfinishedPaths.
        CREATE TABLE unfinished (
            path TEXT NOT NULL PRIMARY KEY,
            pid INTEGER NOT NULL,
            start_time INTEGER NOT NULL
        ) WITHOUT ROWID;
        -- The boot during which the store was opened last.
        CREATE TABLE facts (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) WITHOUT ROWID;
        """

    /// Objects have small integers for the tables that connect them: with a thousand images of twenty layers, sums over
    /// those tables are what `system df` costs.
    private static let tables = """
        CREATE TABLE layers (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            -- NULL while the layer is unfinished, and for a copy of a layer that turned out to be there already.
            diff_id TEXT UNIQUE,
            archive_size INTEGER NOT NULL DEFAULT 0,
            disk_usage INTEGER NOT NULL DEFAULT 0,
            -- The boot during which its files were written, as long as they need not have reached the disk.
            unsynced_boot TEXT,
            -- Its files are being removed.
            is_dead INTEGER NOT NULL DEFAULT 0,
            -- Its files were found damaged and put into quarantine; the same content, when it comes again, replaces it.
            is_broken INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL
        );
        CREATE INDEX unsynced_layers ON layers (unsynced_boot) WHERE unsynced_boot IS NOT NULL;
        CREATE TABLE images (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            manifest_digest TEXT NOT NULL,
            -- Bytes that its manifest and its configuration take on disk.
            document_usage INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL
        );
        CREATE TABLE image_layers (
            image INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
            position INTEGER NOT NULL,
            layer INTEGER NOT NULL REFERENCES layers,
            PRIMARY KEY (image, position)
        ) WITHOUT ROWID;
        CREATE INDEX image_layers_by_layer ON image_layers (layer);
        CREATE TABLE tags (
            name TEXT NOT NULL,
            tag TEXT NOT NULL,
            image INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
            PRIMARY KEY (name, tag)
        ) WITHOUT ROWID;
        CREATE INDEX tags_by_image ON tags (image);
        CREATE TABLE containers (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL UNIQUE,
            image_id TEXT,
            image_name TEXT NOT NULL,
            created_at TEXT NOT NULL,
            state TEXT NOT NULL,
            pid INTEGER,
            supervisor_pid INTEGER,
            supervisor_start INTEGER,
            exit_code INTEGER,
            started_at TEXT,
            finished_at TEXT,
            arguments TEXT NOT NULL,
            config BLOB NOT NULL,
            is_build INTEGER NOT NULL
        );
        CREATE INDEX containers_by_image ON containers (image_id);
        CREATE TABLE container_layers (
            container INTEGER NOT NULL REFERENCES containers ON DELETE CASCADE,
            position INTEGER NOT NULL,
            layer INTEGER NOT NULL REFERENCES layers,
            PRIMARY KEY (container, position)
        ) WITHOUT ROWID;
        CREATE INDEX container_layers_by_layer ON container_layers (layer);
        CREATE TABLE mounts (
            number INTEGER PRIMARY KEY,
            mount_point TEXT NOT NULL UNIQUE,
            image_id TEXT,
            container_id TEXT,
            read_only INTEGER NOT NULL,
            server_pid INTEGER NOT NULL,
            server_start INTEGER NOT NULL,
            created_at TEXT NOT NULL
        );
        CREATE TABLE mount_layers (
            mount INTEGER NOT NULL REFERENCES mounts ON DELETE CASCADE,
            position INTEGER NOT NULL,
            layer INTEGER NOT NULL REFERENCES layers,
            PRIMARY KEY (mount, position)
        ) WITHOUT ROWID;
        CREATE INDEX mount_layers_by_layer ON mount_layers (layer);
        CREATE TABLE cache (
            key TEXT NOT NULL PRIMARY KEY,
            layer INTEGER REFERENCES layers,
            configuration_delta BLOB NOT NULL,
            created_at TEXT NOT NULL,
            last_used TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX cache_by_layer ON cache (layer);
        CREATE TABLE leases (
            layer INTEGER NOT NULL REFERENCES layers,
            pid INTEGER NOT NULL,
            start_time INTEGER NOT NULL,
            owner TEXT NOT NULL,
            PRIMARY KEY (layer, pid, start_time, owner)
        ) WITHOUT ROWID;
        """
}
