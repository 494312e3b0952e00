public import FoundationEssentials
import GRDB

/// What a step of the build cache was made from, so that a later build can say why it could not use the result.
public struct StepInputs: Hashable, Sendable {
    /// What the step stood on.
    public var parent: String
    /// The instruction.
    public var text: String
    /// The rest; opaque to the store.
    public var data: Data
    /// When the step was carried out, as the record says; empty for one that is to be stored.
    public var created: String

    /// Puts inputs together.
    public init(parent: String, text: String, data: Data, created: String = "") {
        self.parent = parent
        self.text = text
        self.data = data
        self.created = created
    }
}

extension ImageStore {
    /// The inputs of the last step that was carried out with that parent and that instruction; nil stands for any.
    public func stepInputs(parent: String?, text: String?) throws(StoreError) -> StepInputs? {
        try catalog.read("look up the build cache") { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT parent, text, data, created_at FROM step_inputs JOIN cache USING (key)
                    WHERE (?1 IS NULL OR parent = ?1) AND (?2 IS NULL OR text = ?2) ORDER BY number DESC LIMIT 1
                    """, arguments: [parent, text]
            ).map { StepInputs(parent: $0["parent"], text: $0["text"], data: $0["data"], created: $0["created_at"]) }
        }
    }
}

enum StepInputsRows {
    static let tables = """
        CREATE TABLE step_inputs (
            -- Later ones have greater numbers.
            number INTEGER PRIMARY KEY,
            -- They go with the record.
            key TEXT NOT NULL UNIQUE REFERENCES cache ON DELETE CASCADE,
            parent TEXT NOT NULL,
            text TEXT NOT NULL,
            data BLOB NOT NULL
        );
        CREATE INDEX step_inputs_by_parent ON step_inputs (parent);
        CREATE INDEX step_inputs_by_text ON step_inputs (text);
        """

    /// Stores the inputs of a step whose record is there.
    static func insert(_ inputs: StepInputs, key: String, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO step_inputs (key, parent, text, data) VALUES (?, ?, ?, ?)",
            arguments: [key, inputs.parent, inputs.text, inputs.data])
    }

    /// `StepInputs.data` of a record; nil where nothing was stored beside it.
    static func data(of key: String, in database: Database) throws -> Data? {
        try Data.fetchOne(database, sql: "SELECT data FROM step_inputs WHERE key = ?", arguments: [key])
    }
}
