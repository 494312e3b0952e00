package import DockerDocuments
package import ImageStore
import OCI

extension EventMessage {
    /// An event as Docker describes it.
    package init(_ event: StoreEvent) {
        self.init()
        type = event.kind.rawValue
        action = event.action
        actor.id = event.actor
        actor.attributes = event.attributes
        time = event.time.seconds
        nanoseconds = event.time.seconds &* 1_000_000_000 &+ Int64(event.time.nanoseconds)
    }
}
