package import ImageStore
package import OCI
package import Runtime

/// Which events somebody wants to read.
package struct EventRequest: Sendable {
    /// Also those since then that the store remembers; nil for those to come alone.
    package var since: Timestamp?
    /// Where reading ends; nil for never.
    package var until: Timestamp?
    /// Only those that fit.
    package var filter = EventFilter()

    /// All that are to come.
    package init() {}
}

/// What `events --filter` asks for.
package struct EventFilter: Sendable {
    private let filters: Filters

    /// The keys that Docker has and Strata has events for.
    private static let keys = ["container", "event", "image", "label", "scope", "type", "volume"]

    /// Takes everything.
    package init() { filters = Filters() }

    /// Parses conditions; see `Filters`.
    package init(_ texts: [String]) throws(EngineError) { filters = try Filters(texts, keys: Self.keys) }

    /// Whether an event is asked for.
    func fits(_ event: StoreEvent) -> Bool {
        filters.fits(labels: event.attributes)
            && Self.keys.allSatisfy { key in
                filters[key].isEmpty || filters[key].contains { fits(event, key, $0) }
            }
    }

    private func fits(_ event: StoreEvent, _ key: String, _ value: String) -> Bool {
        let name = event.attributes["name"]
        switch key {
        case "type": return event.kind.rawValue == value
        case "scope": return value == "local"
        case "event": return event.action == value || event.action.hasPrefix(value + ":")
        case "container":
            return event.kind == .container && (event.actor.hasPrefix(value) || name == value)
        case "volume": return event.kind == .volume && event.actor.hasPrefix(value)
        default:
            if event.kind == .container { return event.attributes["image"].map { isName(value, of: $0) } ?? false }
            return event.kind == .image && (event.actor == value || name.map { isName(value, of: $0) } ?? false)
        }
    }

    /// A name without a tag stands for all tags.
    private func isName(_ value: String, of image: String) -> Bool {
        image == value || image.hasPrefix(value + ":")
    }
}

extension Engine {
    /// Hands over what happens to images, containers, volumes and builds of the store, whichever process does it, until the
    /// time of the request is over or the cancellation fires.
    ///
    /// A store remembers its last 4,096 events.
    ///
    /// - Parameters:
    ///   - started: called once nothing that happens from then on is missed.
    ///   - handler: takes each event, in order, on the calling thread.
    package func events(
        _ request: EventRequest, cancellation: Cancellation?, started: () -> Void = {},
        _ handler: (StoreEvent) throws -> Void
    ) throws {
        var reader = try store.eventReader()
        started()
        func isOver(_ time: Timestamp) -> Bool { request.until.map { time > $0 } ?? false }
        if let since = request.since {
            for event in try store.events() where event.time >= since && event.number <= reader.position {
                if !isOver(event.time), request.filter.fits(event) { try handler(event) }
            }
        }
        while cancellation?.isCancelled != true, !isOver(.now) {
            let rest = request.until.map { max($0.milliseconds - Timestamp.now.milliseconds, 0) + 1 }
            for event in try reader.next(unless: cancellation?.descriptors ?? [], within: rest) {
                if isOver(event.time) { return }
                if request.filter.fits(event) { try handler(event) }
            }
        }
    }

    /// Records what happened. What has happened is not undone because it cannot be reported.
    func report(_ event: StoreEvent) { try? store.record([event]) }
}

extension Timestamp {
    fileprivate var milliseconds: Int64 {
        let (product, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        return isTooLong ? .max / 2 : product + Int64(nanoseconds / 1_000_000)
    }
}
