extension ImageStore {
    /// Makes the upper directory of an unmounted union the next layer, by renaming it: `path` is gone afterwards.
    ///
    /// What only has a meaning in that union is written out first: renamed directories (redirects) with what lies below
    /// them, files whose data are still in a lower layer. The cost follows the size of the upper directory.
    ///
    /// - Parameter lowers: the layers that lay below it, bottom first.
    public func commitLayer(takingUpper path: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        throw StoreError(.io, "unimplemented")
    }

    /// Makes a copy of an upper directory the next layer; for a container that keeps running. Data are shared with the
    /// original where the file system can.
    public func commitLayer(copyingUpper path: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        throw StoreError(.io, "unimplemented")
    }
}
