import GRDB
import Linux
public import OCI

extension ImageStore {
    /// What wakes the readers of events.
    var eventSignal: EventSignal { EventSignal(path: root + "/events") }

    /// Records events that no change of the catalog goes with.
    public func record(_ events: [StoreEvent]) throws(StoreError) {
        if events.isEmpty { return }
        try catalog.write("record an event") { database in try note(events, in: database) }
    }

    /// Records events in the transaction of what they report.
    func note(_ events: [StoreEvent], in database: Database) throws {
        for event in events { try EventRows.insert(event, in: database, eventSignal) }
    }

    /// The events that are remembered, those of other processes too, oldest first.
    public func events() throws(StoreError) -> [StoreEvent] {
        try catalog.read("read the events") { try EventRows.after(0, in: $0) }
    }

    /// A reader of the events to come.
    public func eventReader() throws(StoreError) -> EventReader {
        let signal = eventSignal
        let watch = try attempting("watch the events of \(root)") { () throws(Errno) in
            try signal.prepare()
            return try FileWatch(signal.path)
        }
        let last = try catalog.read("read the events") { try EventRows.last(in: $0) }
        return EventReader(self, watch, after: last)
    }
}

/// Reads events as they come, whichever process they happen in.
public struct EventReader: ~Copyable {
    private let store: ImageStore
    private let watch: FileWatch
    private var last: Int64

    /// How long a reader sleeps at most: a process that is killed between a change and its signal wakes it no sooner.
    private static let patience: Int32 = 2000

    init(_ store: ImageStore, _ watch: consuming FileWatch, after last: Int64) {
        self.store = store
        self.watch = watch
        self.last = last
    }

    /// The number of the last event that the reader has gone past: at first, the last one that was there already.
    public var position: Int64 { last }

    /// Waits for events. Empty when something happens on one of the descriptors, or when the time is over.
    ///
    /// - Parameters:
    ///   - descriptors: what else ends the wait when it is readable.
    ///   - milliseconds: how long to wait; nil waits without end.
    public mutating func next(
        unless descriptors: [Int32] = [], within milliseconds: Int64? = nil
    ) throws(StoreError) -> [StoreEvent] {
        let deadline = milliseconds.map { MonotonicClock.milliseconds + $0 }
        while true {
            let position = last
            let events = try store.catalog.read("read the events") { try EventRows.after(position, in: $0) }
            if let newest = events.last {
                last = newest.number
                return events
            }
            let rest = deadline.map { max($0 - MonotonicClock.milliseconds, 0) }
            if rest == 0 { return [] }
            var poll = Poll()
            let own = poll.add(watch.rawValue, .readable)
            let others = descriptors.map { poll.add($0, .readable) }
            do throws(Errno) {
                try poll.wait(milliseconds: min(Self.patience, rest.map { Int32(clamping: $0) } ?? Self.patience))
                if others.contains(where: { !poll.events($0).isEmpty }) { return [] }
                if !poll.events(own).isEmpty { try watch.clear() }
            } catch {
                throw StoreError(.io, "cannot wait for events: \(error)")
            }
        }
    }
}
