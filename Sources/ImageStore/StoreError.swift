package import Archive
import GRDB
public import Linux
public import OCI

/// What went wrong in the image store.
public struct StoreError: DescribedError, Hashable, Sendable {
    /// The kind of fault, to be compared by programs.
    public enum Code: String, Hashable, Sendable {
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

    /// The kind of fault.
    public var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    public var message: String
    /// What the user can do about it, where that is known.
    public var remedy: String?

    /// Makes an error from its parts.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// An error of a system call: `what` says what was attempted, such as "cannot create layers/ab/fs".
    public init(_ errno: Errno, _ what: String) {
        switch errno {
        case .ENOSPC, .EDQUOT:
            self.init(.noSpace, "\(what): \(errno)", remedy: "free some space, then try again")
        case .EPERM, .EACCES, .EROFS:
            self.init(.notPermitted, "\(what): \(errno)")
        default:
            self.init(.io, "\(what): \(errno)", remedy: errno.remedy)
        }
    }
}

extension StoreError {
    /// Any error that a catalog transaction let through, as one of ours.
    static func wrapping(_ error: any Error, _ what: String) -> StoreError {
        switch error {
        case let error as StoreError: error
        case let error as Errno: StoreError(error, what)
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

/// Runs system calls; their error becomes a `StoreError` that says what was attempted.
@inline(__always)
func attempting<Value: ~Copyable>(
    _ what: @autoclosure () -> String, _ body: () throws(Errno) -> Value
) throws(StoreError) -> Value {
    do throws(Errno) {
        return try body()
    } catch {
        throw StoreError(error, what())
    }
}

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
        self.init(code, error.message, remedy: error.remedy)
    }
}

/// Reads or notes an archive; its error becomes a `StoreError`.
@inline(__always)
func fromArchive<Value: ~Copyable>(_ body: () throws(ArchiveError) -> Value) throws(StoreError) -> Value {
    do throws(ArchiveError) {
        return try body()
    } catch {
        throw StoreError(error)
    }
}
