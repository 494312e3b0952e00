import ImageStore
import OCI
import Runtime

/// A condition of `ps --filter`.
enum ContainerFilter {
    case id(String)
    case name(String)
    case label(String, value: String?)
    case state([ContainerState])
    case exited(Int32)
    /// Made from the image, or from one built on it.
    case ancestor(Digest, layers: [LayerID])
    case before(Timestamp)
    case since(Timestamp)
    case volume(String)

    /// Parses all conditions. Several of the state mean any of them, as for Docker.
    static func parse(_ texts: [String], in store: ImageStore) throws -> [ContainerFilter] {
        var states: [ContainerState] = []
        var filters: [ContainerFilter] = []
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[1].isEmpty else {
                throw CommandError(.usage, "invalid filter \"\(text)\"", remedy: "write it as key=value")
            }
            if parts[0] == "status" {
                states.append(try state(parts[1]))
            } else {
                filters.append(try filter(parts[0], parts[1], in: store))
            }
        }
        return states.isEmpty ? filters : filters + [.state(states)]
    }

    private static func state(_ text: String) throws(CommandError) -> ContainerState {
        guard let state = ContainerState(rawValue: text) else {
            throw CommandError(
                .usage, "invalid filter \"status=\(text)\"", remedy: "use created, running, exited or dead")
        }
        return state
    }

    private static func filter(_ key: String, _ value: String, in store: ImageStore) throws -> ContainerFilter {
        switch key {
        case "id": return .id(value)
        case "name": return .name(value)
        case "volume": return .volume(value)
        case "before": return .before(try store.container(matching: value).createdAt)
        case "since": return .since(try store.container(matching: value).createdAt)
        case "label":
            let label = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return .label(label[0], value: label.count == 2 ? label[1] : nil)
        case "exited":
            guard let status = Int32(value) else {
                throw CommandError(.usage, "invalid filter \"exited=\(value)\": it is not a number")
            }
            return .exited(status)
        case "ancestor":
            let image = try store.image(matching: value)
            return .ancestor(image.id, layers: image.layerIDs)
        default:
            throw CommandError(
                .usage, "invalid filter \"\(key)\"",
                remedy: "use id, name, label, status, exited, ancestor, before, since or volume")
        }
    }

    /// Whether the condition asks for a state itself, so that those that do not run are of interest.
    var isOfState: Bool {
        switch self {
        case .state, .exited: true
        default: false
        }
    }

    func fits(_ container: ContainerRecord) -> Bool {
        switch self {
        case .id(let text): return container.id.hasPrefix(text)
        case .name(let text): return container.name.contains(text)
        case .state(let states): return states.contains(container.state)
        case .exited(let status): return container.state == .exited && container.exitCode == status
        case .before(let time): return container.createdAt < time
        case .since(let time): return container.createdAt > time
        case .ancestor(let image, let layers):
            return container.imageID == image || (!layers.isEmpty && container.layerIDs.starts(with: layers))
        case .label(let key, let value):
            guard let found = container.settings?.configuration.labels[key] else { return false }
            return value == nil || found == value
        case .volume(let text):
            return container.settings?.volumes.contains { volume in
                if case .host(let path) = volume.source, path == text { return true }
                return volume.destination == text || volume.source.volumeName == text
            } ?? false
        }
    }
}
