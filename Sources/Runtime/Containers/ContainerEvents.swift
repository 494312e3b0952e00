import ImageStore
import OCI

extension ContainerRecord {
    /// What happens to the container, with what Docker reports besides: the image, the name, all labels. Empty for a step
    /// of a build.
    func events(_ action: String, _ attributes: [String: String] = [:]) -> [StoreEvent] {
        if isBuild { return [] }
        var all = settings?.configuration.labels ?? [:]
        all["image"] = imageName
        all["name"] = name
        return [StoreEvent(.container, action, of: id, all.merging(attributes) { _, new in new })]
    }

    /// What happens to its volumes at its start and end.
    func volumeEvents(_ action: String) -> [StoreEvent] {
        (settings?.volumes ?? []).compactMap { volume in
            guard let name = volume.source.volumeName else { return nil }
            var attributes = ["container": id, "driver": "local"]
            if action == "mount" {
                attributes["destination"] = volume.destination
                attributes["read/write"] = volume.readOnly ? "false" : "true"
            }
            return StoreEvent(.volume, action, of: name, attributes)
        }
    }

    /// What is reported at its end: `execDuration` is in seconds.
    func endEvents() -> [StoreEvent] {
        let seconds = (finishedAt ?? .now).seconds - (startedAt ?? finishedAt ?? .now).seconds
        let attributes = ["exitCode": String(exitCode ?? 0), "execDuration": String(max(seconds, 0))]
        return events("die", attributes) + volumeEvents("unmount")
    }
}

extension ContainerEngine {
    /// Records what happened to a container where its record does not change with it. What has happened is not undone
    /// because it cannot be reported.
    func report(_ events: [StoreEvent]) { try? store.record(events) }
}
