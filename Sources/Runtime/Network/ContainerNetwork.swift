public import OCI

/// Which network a container, or the command of a build step, is on.
///
/// The runtime makes the container with the namespace of `namespace`, `attach` connects it before anything in it runs, and
/// `release` takes back what that took once the container has ended.
public enum ContainerNetwork: String, Hashable, Codable, Sendable {
    /// The host's.
    case host
    /// One of its own with nothing but the loopback.
    case none

    /// The network that a user means; nil and `default` for the host's. `badOption` for one that there is not.
    public init(named text: String?) throws(RuntimeError) {
        switch text {
        case nil, "default", "host": self = .host
        case "none": self = .none
        case .some(let other):
            throw RuntimeError(
                .badOption, "the network \"\(other)\" is not supported", remedy: "there are 'host' and 'none'")
        }
    }

    /// The namespace that the runtime makes or joins; nil for the host's.
    var namespace: RuntimeSpecification.Namespace? {
        switch self {
        case .host: nil
        case .none: .init(type: "network", path: nil)
        }
    }

    /// The capabilities that a container has without being asked: on the host's network no raw packets.
    var usualCapabilities: [String] {
        switch self {
        case .host: Capability.usualOnHostNetwork
        case .none: Capability.usual
        }
    }

    /// What connects a container that is made and not started yet; nil where nothing is to be done, which spares the
    /// runtime a call.
    var attach: (@Sendable (_ id: String, _ pid: Int32) throws(RuntimeError) -> Void)? {
        switch self {
        case .host, .none: nil
        }
    }

    /// What `RuntimeDriver` does between making and starting a container of that ID.
    func preparation(of id: String) -> ((Int32) throws(RuntimeError) -> Void)? {
        guard let attach else { return nil }
        return { (pid: Int32) throws(RuntimeError) in try attach(id, pid) }
    }

    /// Takes back what `attach` took for a container that has ended.
    func release(_ id: String) {
        switch self {
        case .host, .none: break
        }
    }
}
