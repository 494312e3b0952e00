/// How a container's file differs from its image's.
public struct LayerChange: Hashable, Sendable {
    /// What happened to the file.
    public enum Kind: String, Hashable, Sendable {
        /// It is new.
        case added = "A"
        /// Its content or its attributes are others, or something in it changed.
        case changed = "C"
        /// It is gone.
        case deleted = "D"
    }

    /// What happened.
    public var kind: Kind
    /// The path in the container, from `/`; bytes that are not UTF-8 are replaced.
    public var path: String
}

extension ImageStore {
    /// What an upper directory changes, sorted by path, as `docker diff` tells it.
    ///
    /// - Parameter lowers: the layers below it, bottom first.
    public func changes(inUpper path: String, lowers: [LayerID]) throws(StoreError) -> [LayerChange] {
        throw StoreError(.io, "unimplemented")
    }
}
