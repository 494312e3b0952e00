import Glibc
import OCI

/// Filters with what they refer to looked up.
struct ImageFilterTest {
    private var filters: [ImageFilter]
    private var before: Timestamp?
    private var since: Timestamp?

    init(_ filters: [ImageFilter], in store: ImageStore) throws(StoreError) {
        self.filters = filters
        for filter in filters {
            switch filter {
            case .before(let name): before = min(before ?? .never, try store.image(matching: name).createdAt)
            case .since(let name): since = max(since ?? .always, try store.image(matching: name).createdAt)
            default: break
            }
        }
    }

    /// What can be decided without reading the configuration.
    func mayFit(_ image: ImageSnapshot) -> Bool {
        if let before, image.row.createdAt >= before { return false }
        if let since, image.row.createdAt <= since { return false }
        return filters.allSatisfy { filter in
            switch filter {
            case .dangling(let wanted): image.references.isEmpty == wanted
            case .reference(let pattern): image.references.contains { ImageFilterTest.fits($0, pattern) }
            default: true
            }
        }
    }

    /// The rest, by the configuration.
    func fits(_ image: ImageRecord) -> Bool {
        filters.allSatisfy { filter in
            guard case .label(let key, let value) = filter else { return true }
            guard let found = image.configuration.config.labels[key] else { return false }
            return value == nil || found == value
        }
    }

    private static func fits(_ reference: Reference, _ pattern: String) -> Bool {
        let names = [reference.familiar, reference.familiarName, reference.description, reference.name]
        return names.contains {
            fnmatch(pattern, $0, FNM_PATHNAME) == 0
        }
    }
}

extension Timestamp {
    fileprivate static let never = Timestamp(seconds: .max)
    fileprivate static let always = Timestamp(seconds: .min)
}
