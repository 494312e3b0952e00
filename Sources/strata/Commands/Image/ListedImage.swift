import ImageStore
import OCI
import Rendering

/// A line of a list of images: an image under one of its names.
struct ListedImage {
    let image: ImageRecord
    /// The repository, nil for an image without a name.
    private let repository: String?
    private let tag: String?
    private let digest: Digest?
    /// What `system df -v` knows.
    let usage: DiskUsage.Image?
    /// Whether IDs are shown in full.
    private let full: Bool

    /// The rows of images, in their order: one for each tag, and for a repository without tags one, or one for each digest.
    ///
    /// - Parameters:
    ///   - withDigests: whether digests are shown, a row for each.
    ///   - usages: what is known of the space of images.
    static func rows(
        _ images: [ImageRecord], withDigests: Bool = false, usages: [Digest: DiskUsage.Image] = [:], full: Bool = false
    ) -> [ListedImage] {
        images.flatMap { image in
            names(of: image, withDigests: withDigests).map { name in
                ListedImage(
                    image: image, repository: name.repository, tag: name.tag, digest: name.digest,
                    usage: usages[image.id], full: full)
            }
        }
    }

    private typealias Name = (repository: String?, tag: String?, digest: Digest?)

    private static func names(of image: ImageRecord, withDigests: Bool) -> [Name] {
        let digests = Dictionary(grouping: image.digests, by: \.familiarName).mapValues { $0.map(\.digest) }
        var names: [Name] = image.references.flatMap { reference -> [Name] in
            let repository = reference.familiarName
            let shown = withDigests ? digests[repository] ?? [nil] : [nil]
            return shown.map { (repository, reference.tag, $0) }
        }
        let tagged = Set(image.references.map(\.familiarName))
        for (repository, found) in digests.sorted(by: { $0.key < $1.key }) where !tagged.contains(repository) {
            names += (withDigests ? found : [nil]).map { (repository, nil, $0) }
        }
        return names.isEmpty ? [(nil, nil, nil)] : names
    }

    private var id: String { full ? image.id.description : image.id.short }

    /// The list, with Docker's columns.
    static func listing(_ standard: [String]) -> Listing<ListedImage> {
        Listing(
            columns: [
                Column("Repository", "REPOSITORY") { $0.repository ?? "<none>" },
                Column("Tag", "TAG") { $0.tag ?? "<none>" },
                Column("Digest", "DIGEST") { $0.digest?.description ?? "<none>" },
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
