import Linux

/// A process that cannot be mistaken for a later one of the same number.
public struct ProcessIdentity: Hashable, Codable, Sendable {
    /// The process id.
    public let pid: Int32
    /// When it started, in clock ticks since boot.
    public let startTime: UInt64

    /// Puts an identity together that was read from a record.
    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The running process of that number; nil where there is none.
    public init?(pid: Int32) {
        guard let startTime = ProcessTable.startTime(of: pid) else { return nil }
        self.init(pid: pid, startTime: startTime)
    }

    /// The calling process.
    public static let current =
        ProcessIdentity(pid: ProcessTable.currentID)
        ?? ProcessIdentity(
            pid: ProcessTable.currentID, startTime: 0)

    /// Whether that very process still runs.
    public var isAlive: Bool { ProcessTable.startTime(of: pid) == startTime }
}
