public import ImageStore
public import OCI
public import Registry

/// Why an image could not be pulled or pushed.
public struct DistributionError: DescribedError, Hashable, Sendable {
    /// The kind of failure, to be compared by programs.
    public enum Code: Hashable, Sendable {
        /// The registry, or the way to it.
        case registry(RegistryError.Code)
        /// The store.
        case store(StoreError.Code)
        /// The image itself makes no sense.
        case badImage
        /// The image is for another platform.
        case wrongPlatform
        /// A name that cannot be pulled or pushed.
        case badName
    }

    /// The kind of failure.
    public var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    public var message: String
    /// What the user can do about it, where known.
    public var remedy: String?

    /// Makes an error from its parts.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    init(_ error: RegistryError) { self.init(.registry(error.code), error.message, remedy: error.remedy) }
    init(_ error: StoreError) { self.init(.store(error.code), error.message, remedy: error.remedy) }

    /// Any error that a task let through.
    init(wrapping error: any Error) {
        switch error {
        case let error as DistributionError: self = error
        case let error as RegistryError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as OCIError: self.init(.badImage, error.message)
        case is CancellationError: self.init(.registry(.cancelled), "the transfer was cancelled")
        default: self.init(.registry(.connection), "the transfer failed: \(error)")
        }
    }
}

// Each turns the error of a module below into one of ours.

func fromStore<Value>(_ body: () throws(StoreError) -> Value) throws(DistributionError) -> Value {
    do throws(StoreError) { return try body() } catch { throw DistributionError(error) }
}

func fromRegistry<Value>(_ body: () async throws(RegistryError) -> Value) async throws(DistributionError) -> Value {
    do throws(RegistryError) { return try await body() } catch { throw DistributionError(error) }
}
