import Glibc
import ImageStore
import OCI
import Rendering

/// A line of a list of images: an image under one of its names.
struct ImageRow {
    var image: ImageRecord
    /// The name, nil for an image without.
    var reference: Reference?
    /// What `system df -v` knows.
    var usage: DiskUsage.Image?
    /// Whether IDs are shown in full.
    var full = false

    /// The rows of images, newest first: one for each name, or one for an image without names.
    ///
    /// - Parameter pattern: only names that match it.
    static func rows(_ images: [ImageRecord], matching pattern: String? = nil, full: Bool = false) -> [ImageRow] {
        images.sorted { $0.createdAt > $1.createdAt }.flatMap { image -> [ImageRow] in
            if image.references.isEmpty {
                return pattern == nil ? [ImageRow(image: image, reference: nil, full: full)] : []
            }
            return image.references.filter { reference in pattern.map { matches(reference, $0) } ?? true }
                .map { ImageRow(image: image, reference: $0, full: full) }
        }
    }

    /// Whether a name, with or without its tag, fits a shell pattern.
    private static func matches(_ reference: Reference, _ pattern: String) -> Bool {
        let names = [reference.familiarName, reference.familiar, reference.name, reference.description]
        return names.contains { fnmatch(pattern, $0, FNM_PATHNAME) == 0 }
    }

    private var id: String { full ? image.id.description : image.id.short }

    /// The list, with Docker's columns.
    static func listing(_ standard: [String]) -> Listing<ImageRow> {
        Listing(
            columns: [
                Column("Repository", "REPOSITORY") { $0.reference?.familiarName ?? "<none>" },
                Column("Tag", "TAG") { $0.reference?.tag ?? "<none>" },
                Column("Digest", "DIGEST") { $0.reference?.digest?.description ?? "<none>" },
                Column("ID", "IMAGE ID") { $0.id },
                Column("CreatedSince", "CREATED") { HumanUnits.ago($0.image.createdAt) },
                Column("CreatedAt", "CREATED AT") { HumanUnits.time($0.image.createdAt) },
                Column("Size", "SIZE") { HumanUnits.size($0.image.size) },
                Column("VirtualSize", "SIZE") { HumanUnits.size($0.image.size) },
                Column("SharedSize", "SHARED SIZE") { $0.usage.map { HumanUnits.size($0.shared) } ?? "N/A" },
                Column("UniqueSize", "UNIQUE SIZE") { $0.usage.map { HumanUnits.size($0.unique) } ?? "N/A" },
                Column("Containers", "CONTAINERS") { $0.usage.map { String($0.containers) } ?? "N/A" },
            ], standard: standard)
    }
}
