import FoundationEssentials
import GRDB
import Linux
import OCI

/// Rows of events.
///
/// An event is written in the transaction of what it reports, so that one is there exactly when the other is. What is older
/// than the last `kept` goes.
enum EventRows {
    /// How many events a store remembers.
    static let kept: Int64 = 4096

    /// New in format 6.
    static let tables = """
        CREATE TABLE events (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            seconds INTEGER NOT NULL,
            nanoseconds INTEGER NOT NULL,
            kind TEXT NOT NULL,
            action TEXT NOT NULL,
            actor TEXT NOT NULL,
            attributes BLOB NOT NULL
        );
        """

    static func insert(_ event: StoreEvent, in database: Database, _ signal: EventSignal) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO events (seconds, nanoseconds, kind, action, actor, attributes) VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                event.time.seconds, event.time.nanoseconds, event.kind.rawValue, event.action, event.actor,
                try ImageStore.document(event.attributes),
            ])
        try database.cachedStatement(sql: "DELETE FROM events WHERE number <= ?")
            .execute(arguments: [database.lastInsertedRowID - kept])
        database.afterNextTransaction { _ in signal.send() }
    }

    /// The number of the last event that there ever was.
    static func last(in database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'events'") ?? 0
    }

    /// Those after a number, in order.
    static func after(_ number: Int64, in database: Database) throws -> [StoreEvent] {
        try Row.fetchAll(database, sql: "SELECT * FROM events WHERE number > ? ORDER BY number", arguments: [number])
            .map { row in
                var event = StoreEvent(
                    StoreEvent.Kind(rawValue: row["kind"]) ?? .container, row["action"], of: row["actor"],
                    try ImageStore.read([String: String].self, row["attributes"], "an event"))
                event.number = row["number"]
                event.time = Timestamp(seconds: row["seconds"], nanoseconds: row["nanoseconds"])
                return event
            }
    }
}

/// The file whose times change whenever events are there: readers of any process watch it.
struct EventSignal: Sendable {
    let path: String

    /// Wakes the readers. What fails here only delays them.
    func send() {
        let now = TimeSpec.current
        try? FileDescriptor.currentDirectory.setTimes(of: path, access: now, modification: now)
    }

    /// Makes the file where it is missing.
    func prepare() throws(Errno) {
        _ = try FileDescriptor.open(path, [.writeOnly, .create], mode: 0o600)
    }
}
