import GRDB

/// The tables of what registries know of the store's content, and of when it was named. They may be missing in a store that an earlier version
/// made, so they are looked for each time.
enum DistributionSchema {
    static func install(in database: Database) throws {
        if try database.tableExists("tag_times") { return }
        try database.execute(sql: tables)
    }

    private static let tables = """
        -- The compressed forms in which a layer was fetched or sent.
        CREATE TABLE IF NOT EXISTS layer_blobs (
            digest TEXT NOT NULL,
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            size INTEGER NOT NULL,
            media_type TEXT NOT NULL,
            -- What compresses the layer to exactly that, if anything of ours does.
            encoder TEXT,
            PRIMARY KEY (digest, layer)
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS layer_blobs_by_layer ON layer_blobs (layer);
        -- The repositories that have such a form.
        CREATE TABLE IF NOT EXISTS blob_origins (
            digest TEXT NOT NULL,
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            name TEXT NOT NULL,
            last_seen TEXT NOT NULL,
            PRIMARY KEY (digest, layer, name)
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS blob_origins_by_layer ON blob_origins (layer);
        -- The digests under which repositories have an image.
        CREATE TABLE IF NOT EXISTS repository_digests (
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            image INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
            PRIMARY KEY (name, digest, image)
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS repository_digests_by_image ON repository_digests (image);
        -- When an image was given a name last.
        CREATE TABLE IF NOT EXISTS tag_times (
            image INTEGER NOT NULL PRIMARY KEY REFERENCES images ON DELETE CASCADE,
            last TEXT NOT NULL
        );
        -- Layers of pulls that have not come to their end.
        CREATE TABLE IF NOT EXISTS unfinished_pulls (
            layer INTEGER NOT NULL PRIMARY KEY REFERENCES layers ON DELETE CASCADE,
            -- Seconds since 1970.
            since INTEGER NOT NULL
        );
        """
}
