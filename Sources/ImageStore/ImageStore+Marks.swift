import GRDB
import Linux
import OCI

extension ImageStore {
    /// How unions keep their notes in this store, which stays as it was when the store was made: notes of the other kind
    /// are data of programs.
    static func recordedMarks(in catalog: Catalog, of root: String) throws(StoreError) -> OverlayMarks {
        let query = "SELECT value FROM facts WHERE name = 'marks'"
        let known = try catalog.read("read the catalog") { try String.fetchOne($0, sql: query) }
        if let known {
            if let marks = OverlayMarks(rawValue: known) { return marks }
            throw StoreError(.corrupt, "the store keeps its notes in a way that this version does not know (\(known))")
        }
        let temporary = root + "/tmp"
        let directory = try attempting("open \(temporary)") { () throws(Errno) in
            try FileDescriptor.open(temporary, [.directory])
        }
        let marks: OverlayMarks = directory.takesTrustedAttributes() ? .trusted : .user
        do throws(StoreError) {
            try catalog.write("note how the store keeps its notes") { database in
                try database.execute(
                    sql: "INSERT OR IGNORE INTO facts (name, value) VALUES ('marks', ?)", arguments: [marks.rawValue])
            }
        } catch {
            // A full disk keeps nobody from reading.
            if error.code != .noSpace { throw error }
        }
        return marks
    }
}
