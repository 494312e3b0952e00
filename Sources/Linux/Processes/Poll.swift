internal import Glibc

/// poll(2) over a list of descriptors.
public struct Poll: Sendable {
    /// What may happen on a descriptor.
    public struct Events: OptionSet, Sendable {
        /// The `POLL*` bits.
        public let rawValue: Int16
        /// Takes the bits.
        public init(rawValue: Int16) { self.rawValue = rawValue }
        public static let readable = Events(rawValue: 1)
        /// Something exceptional; on `/proc/self/mountinfo`, a change of the mounts.
        public static let priority = Events(rawValue: 2)
        public static let writable = Events(rawValue: 4)
        public static let error = Events(rawValue: 8)
        public static let hangUp = Events(rawValue: 16)
    }

    private var entries: [pollfd] = []

    /// Watches nothing yet.
    public init() {}

    /// Watches a descriptor; returns the index to ask `events` for.
    public mutating func add(_ descriptor: Int32, _ events: Events) -> Int {
        entries.append(pollfd(fd: descriptor, events: events.rawValue, revents: 0))
        return entries.count - 1
    }

    /// Waits until something happens or the time is over; nil waits without end. Returns whether something happened; a
    /// signal counts as nothing.
    @discardableResult
    public mutating func wait(milliseconds: Int32? = nil) throws(Errno) -> Bool {
        let result = poll(&entries, nfds_t(entries.count), milliseconds ?? -1)
        if result < 0 {
            if Errno.current != .EINTR { throw .current }
            for index in entries.indices { entries[index].revents = 0 }
        }
        return result > 0
    }

    /// What happened on the descriptor of that index during the last wait.
    public func events(_ index: Int) -> Events { Events(rawValue: entries[index].revents) }
}

/// The clock that never jumps, for deadlines.
public enum MonotonicClock {
    /// Milliseconds since some fixed point.
    public static var milliseconds: Int64 { microseconds / 1000 }

    /// Microseconds since that point.
    public static var microseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// Sleeps at least that long.
    public static func sleep(milliseconds: Int64) {
        var time = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        var rest = timespec()
        while nanosleep(&time, &rest) < 0 && Errno.current == .EINTR { time = rest }
    }
}

extension TimeSpec {
    /// What the clock says (`CLOCK_REALTIME`).
    public static var current: TimeSpec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return TimeSpec(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }
}
