import BuildEngine
import ImageStore
import Linux
import Runtime

extension Builder {
    /// A builder with the programs that the environment of the tests names.
    init(store: ImageStore) {
        self.init(store: store, runtime: RuntimeContext(store: store, environment: .current()))
    }
}
