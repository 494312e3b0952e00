public import ImageStore
public import OCI
public import Registry

/// Why an image could not be pulled or pushed.
public typealias DistributionError = Failure<DistributionFault>

/// The kinds of faults of `DistributionError`, to be compared by programs.
public enum DistributionFault: Hashable, Sendable {
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

extension DistributionError {
    init(_ error: RegistryError) { self.init(.registry(error.code), saying: error) }
    init(_ error: StoreError) { self.init(.store(error.code), saying: error) }

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

let fromStore = ErrorTranslation { (error: StoreError) in DistributionError(error) }

func fromRegistry<Value>(_ body: () async throws(RegistryError) -> Value) async throws(DistributionError) -> Value {
    do throws(RegistryError) { return try await body() } catch { throw DistributionError(error) }
}
