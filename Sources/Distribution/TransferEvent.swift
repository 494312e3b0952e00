public import OCI

/// What happens during a pull or a push, for whoever shows it.
public enum TransferEvent: Sendable, Hashable {
    /// What becomes of a layer.
    public enum LayerState: Sendable, Hashable {
        /// It is to be fetched or sent.
        case waiting
        /// The store, or the registry, has it already.
        case exists
        /// So many bytes of its compressed form came; it is unpacked at the same time.
        case downloading(done: Int64, total: Int64)
        /// All bytes came; the rest is being unpacked.
        case extracting
        /// It is in the store.
        case pulled
        /// So many bytes were sent; the total is 0 where it is not known yet.
        case pushing(done: Int64, total: Int64)
        /// The registry has taken it from another of its repositories.
        case mounted(from: String)
        /// The registry has it.
        case pushed
        /// The connection was lost and is made anew.
        case retrying(reason: String)
    }

    /// A pull begins: the name as asked for.
    case pulling(Reference)
    /// A push begins.
    case pushing(Reference)
    /// A layer, by the first digits of the digest of its compressed form (pull) or of its diffID (push).
    case layer(id: String, LayerState)
    /// Something the user should know.
    case remark(String)
}
