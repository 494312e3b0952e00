package import Archive
import GRDB
public import Linux
public import OCI

/// What went wrong in the image store.
public typealias StoreError = Failure<StoreFault>

/// The kinds of faults of `StoreError`, to be compared by programs.
public enum StoreFault: String, Hashable, Sendable {
    /// An archive that is no tar archive, is damaged, or tries to leave its directory.
    case badArchive
    /// The disk or the quota is full.
    case noSpace
    /// There is no store in the directory.
    case noSuchStore
    /// No image of that name or ID.
    case noSuchImage
    /// No container of that name or ID.
    case noSuchContainer
    /// No such layer.
    case noSuchLayer
    /// No such blob.
    case noSuchBlob
    /// An ID prefix that fits several objects.
    case ambiguous
    /// The object is in use.
    case conflict
    /// A container of that name exists.
    case nameInUse
    /// A name or reference that is not allowed.
    case badName
    /// Content does not have the digest it is stored under, or a record does not fit its files.
    case corrupt
    /// Another process kept the catalog locked for too long.
    case busy
    /// The calling user may not do that.
    case notPermitted
    /// Any other failure of the file system or the catalog.
    case io
}

extension StoreError {
    /// The failure of a system call; `attempt` is what was to be done, such as "create layers/ab/fs".
    public init(_ attempt: String, _ error: Errno) {
        let what = "cannot \(attempt): \(error)"
        switch error {
        case .ENOSPC, .EDQUOT: self.init(.noSpace, what, remedy: "free some space, then try again")
        case .EPERM, .EACCES, .EROFS: self.init(.notPermitted, what)
        default: self.init(.io, what, remedy: error.remedy)
        }
    }
}

extension StoreError {
    /// Any error that a catalog transaction let through, as one of ours; `attempt` is what was to be done.
    static func wrapping(_ error: any Error, _ attempt: String) -> StoreError {
        let what = "cannot \(attempt)"
        return switch error {
        case let error as StoreError: error
        case let error as Errno: StoreError(attempt, error)
        case let error as OCIError: StoreError(.corrupt, "\(what): \(error.message)")
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_FULL: StoreError(.noSpace, "\(what): the disk is full", remedy: "free some space")
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                StoreError(.busy, "\(what): the catalog stayed locked by another process")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                StoreError(.corrupt, "\(what): the catalog is damaged (\(error.message ?? "no details"))")
            case .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_AUTH:
                StoreError(.notPermitted, "\(what): \(error.message ?? "the catalog cannot be opened")")
            default: StoreError(.io, "\(what): \(error.message ?? "\(error.resultCode)")")
            }
        default: StoreError(.io, "\(what): \(error)")
        }
    }
}

/// Runs system calls; their error becomes a `StoreError`.
let attempting = Attempt { StoreError($0, $1) }

extension StoreError {
    /// A failure of reading an archive.
    package init(_ error: ArchiveError) {
        let code: Code =
            switch error.code {
            case .badArchive: .badArchive
            case .corrupt: .corrupt
            case .noSpace: .noSpace
            case .notPermitted: .notPermitted
            case .io: .io
            }
        self.init(code, saying: error)
    }
}

/// Reads or notes an archive; its error becomes a `StoreError`.
let fromArchive = ErrorTranslation { (error: ArchiveError) in StoreError(error) }
