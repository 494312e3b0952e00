// What is done once, after the unmount, so that the upper directory says everything by itself.
extension Union {
    /// Notes link counts for the next mount. Nothing may be asked of the union afterwards.
    public func finish() {
        guard let work else { return }
        work.index.savePending(beside: work.layer)
    }
}
