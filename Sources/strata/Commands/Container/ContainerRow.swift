import Engine
import ImageStore
import OCI
import Rendering
import Runtime

/// A line of a list of containers.
struct ContainerRow {
    let summary: ContainerSummary
    /// Whether IDs and commands are shown in full.
    private let full: Bool

    init(_ summary: ContainerSummary, full: Bool = false) {
        self.summary = summary
        self.full = full
    }

    private var record: ContainerRecord { summary.record }
    private var settings: ContainerSettings? { summary.settings }
    private var imageName: String { summary.imageName ?? record.imageID?.short ?? record.imageName }

    private var id: String { full ? record.id : record.shortID }

    private var labels: [String: String] { settings?.configuration.labels ?? [:] }

    private var volumeNames: [String] { settings?.volumes.compactMap(\.source.volumeName) ?? [] }

    private var mounts: [String] {
        (settings?.volumes ?? []).map { volume in
            let name = if case .host(let path) = volume.source { path } else { volume.source.volumeName ?? "" }
            return full ? name : ShortText.ellipsis(name, 15)
        }
    }

    private var sizeText: String {
        guard let size = summary.size else { return "" }
        let own = HumanUnits.size(size)
        return summary.imageSize.map { "\(own) (virtual \(HumanUnits.size(size + $0)))" } ?? own
    }

    /// `Up 3 seconds`, `Exited (0) 5 seconds ago`, `Created`.
    static func status(_ record: ContainerRecord, now: Timestamp = .now) -> String {
        switch record.state {
        case .created: return "Created"
        case .dead: return "Dead"
        case .running:
            return "Up " + HumanUnits.duration(seconds: now.seconds - (record.startedAt ?? record.createdAt).seconds)
        case .exited:
            let ago = record.finishedAt.map { " " + HumanUnits.ago($0, now: now) } ?? ""
            return "Exited (\(record.exitCode ?? 0))\(ago)"
        }
    }

    /// The list with Docker's columns.
    static func listing(_ standard: [String]) -> Listing<ContainerRow> {
        Listing(
            columns: [
                Column("ID", "CONTAINER ID") { $0.id },
                Column("Image", "IMAGE") { $0.imageName },
                Column("Command", "COMMAND") { ShortText.command($0.record.arguments, truncated: !$0.full) },
                Column("RunningFor", "CREATED") { HumanUnits.ago($0.record.createdAt) },
                Column("CreatedAt", "CREATED AT") { HumanUnits.time($0.record.createdAt) },
                Column("Status", "STATUS") { status($0.record) },
                Column("State", "STATE") { $0.record.state.rawValue },
                // The host's network: there is nothing to map.
                Column("Ports", "PORTS") { _ in "" },
                Column("Names", "NAMES") { $0.record.name },
                Column("Labels", "LABELS") { row in
                    row.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
                },
                Column("Mounts", "MOUNTS") { $0.mounts.joined(separator: ",") },
                Column("LocalVolumes", "LOCAL VOLUMES") { String($0.volumeNames.count) },
                Column("Networks", "NETWORKS") { _ in "host" },
                Column("Size", "SIZE") { $0.sizeText },
            ], standard: standard)
    }
}
