import GRDB
import GRDBSQLite
import Linux
import OCI

/// The SQLite database that knows what the store holds.
///
/// Write-ahead logging lets readers and one writer of several processes work at once; a writer waits for another up to
/// a minute. Records of layers and images are written with `synchronous=FULL`, so that what a command reported as done
/// survives a power cut; records that only matter while a process lives (containers' states, mounts, leases) with
/// `NORMAL`, which keeps the catalog whole but may lose the last of them.
struct Catalog: Sendable {
    private let queue: DatabaseQueue

    /// Opens the catalog, making its tables where they are missing.
    ///
    /// - Parameter directory: locked meanwhile, because two processes cannot both switch a new file to WAL.
    init(path: String, lockedBy directory: String) throws(StoreError) {
        let gate = try attempting("lock \(directory)") { () throws(Errno) in
            let gate = try FileDescriptor.open(directory, [.directory])
            _ = try gate.lock(exclusive: true)
            return gate
        }
        defer { withExtendedLifetime(gate.rawValue) {} }
        try StoreDirectory.closeCatalog(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(60)
        configuration.foreignKeysEnabled = true
        configuration.label = "catalog"
        configuration.prepareDatabase { database in
            var stays: Int32 = 1
            sqlite3_file_control(database.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &stays)
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.unsafeReentrantWrite { database in
                try CatalogSchema.install(in: database)
                try DistributionSchema.install(in: database)
            }
        } catch {
            throw StoreError.wrapping(error, "open the catalog \(path)")
        }
    }

    /// Runs queries that see one state of the catalog.
    func read<Value>(_ what: String, _ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw StoreError.wrapping(error, what)
        }
    }

    /// Runs one transaction, undone when `body` throws.
    ///
    /// - Parameters:
    ///   - durable: whether the change must survive a power cut once this returns.
    ///   - freesSpace: whether what follows makes room, so that a full disk must not be in its way: `body` may run twice.
    func write<Value>(
        _ what: String, durable: Bool = false, freesSpace: Bool = false, _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try attempt(what, durable: durable, body)
        } catch let error as DatabaseError where freesSpace && error.resultCode == .SQLITE_FULL {
            // What the log holds is in the database already or goes there; the log then begins anew in the room it has.
            _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.passive) }
        } catch {
            throw StoreError.wrapping(error, what)
        }
        do {
            return try attempt(what, durable: durable, body)
        } catch {
            throw StoreError.wrapping(error, what)
        }
    }

    private func attempt<Value>(
        _ what: String, durable: Bool, _ body: (Database) throws -> Value
    ) throws -> Value {
        if !durable { return try queue.write(body) }
        return try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            defer { try? database.execute(sql: "PRAGMA synchronous = NORMAL") }
            var result: Value?
            try database.inTransaction(.immediate) {
                result = try body(database)
                return .commit
            }
            guard let result else { throw StoreError(.io, "cannot \(what): the transaction had no result") }
            return result
        }
    }

    /// Runs a transaction and undoes it: what would come of it is the answer.
    func dryRun<Value>(_ what: String, _ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return try queue.writeWithoutTransaction { database in
                var result: Value?
                try database.inTransaction(.immediate) {
                    result = try body(database)
                    return .rollback
                }
                guard let result else { throw StoreError(.io, "cannot \(what): the transaction had no result") }
                return result
            }
        } catch {
            throw StoreError.wrapping(error, what)
        }
    }
}
