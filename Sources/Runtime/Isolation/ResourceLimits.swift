import Linux
public import OCI

/// What the processes of a container may use together; Docker's names and rules.
public struct ResourceLimits: Hashable, Codable, Sendable {
    /// How many processes and threads there may be at a time; 0 or less for any number.
    public var processes: Int64 = standardProcesses
    /// Bytes of memory; 0 for any.
    public var memory: Int64 = 0
    /// Bytes of memory and swap space together; 0 for twice the memory, -1 for any.
    public var memoryAndSwap: Int64 = 0
    /// Bytes of memory that it is reduced to where the machine runs short; 0 for none.
    public var memoryReservation: Int64 = 0
    /// Processors, in billionths of one; 0 for all.
    public var nanoProcessors: Int64 = 0
    /// The weight against others where processors are short; 0 for the usual 1024.
    public var processorShares: Int64 = 0
    /// The processors to run on, as `0-2,4`; empty for all.
    public var processorSet = ""

    /// Enough for any service and any parallel build, and far fewer than a machine can stand.
    public static let standardProcesses: Int64 = 2048

    /// No limits but that of processes.
    public init() {}

    /// Bytes of memory and swap space together, as they are set; -1 for any.
    public var effectiveMemoryAndSwap: Int64 {
        memory > 0 && memoryAndSwap == 0 ? memory.multipliedReportingOverflow(by: 2).partialValue : memoryAndSwap
    }

    private static let leastMemory: Int64 = 6 << 20

    /// Refuses what makes no sense together, with Docker's words; `badOption`.
    public func check() throws(RuntimeError) {
        func refuse(_ isWrong: Bool, _ message: String) throws(RuntimeError) {
            if isWrong { throw RuntimeError(.badOption, message) }
        }
        try refuse(memory != 0 && memory < Self.leastMemory, "Minimum memory limit allowed is 6MB")
        try refuse(memory > Int64.max / 2, "the memory limit is too large")
        try refuse(
            memory > 0 && memoryAndSwap > 0 && memoryAndSwap < memory,
            "Minimum memoryswap limit should be larger than memory limit, see usage")
        try refuse(
            memory == 0 && memoryAndSwap > 0,
            "You should always set the Memory limit when using Memoryswap limit, see usage")
        try refuse(
            memoryReservation != 0 && memoryReservation < Self.leastMemory,
            "Minimum memory reservation allowed is 6MB")
        try refuse(
            memory > 0 && memory < memoryReservation,
            "Minimum memory limit can not be less than memory reservation limit, see usage")
        let count = Processors.count
        try refuse(
            nanoProcessors < 0 || nanoProcessors > Int64(count) * 1_000_000_000,
            "range of CPUs is from 0.01 to \(count).00, as there are only \(count) CPUs available")
        try refuse(processorShares < 0, "invalid CPU shares \(processorShares): they are 2 or more")
        if !processorSet.isEmpty {
            let numbers = Self.numbers(processorSet)
            try refuse(numbers == nil, "Invalid value \(processorSet) for cpuset cpus")
            let available = Self.availableProcessors
            try refuse(
                numbers.map { !$0.isSubset(of: Self.numbers(available) ?? $0) } ?? false,
                "Requested CPUs are not available - requested \(processorSet), available: \(available)")
        }
    }

    /// The numbers that `0-2,4` stands for; nil for anything else.
    static func numbers(_ text: String) -> Set<Int>? {
        var result: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, (0...last).contains(first), last < 8192
            else { return nil }
            result.formUnion(first...last)
        }
        return result
    }

    /// What runs of the machine's processors, as the kernel lists them.
    private static var availableProcessors: String {
        let bytes = (try? FileDescriptor.open("/sys/devices/system/cpu/online").readAll(limit: 4096)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Sets the limits in a configuration.
    func apply(to resources: inout RuntimeSpecification.Resources) {
        if processes > 0 { resources.pids = .init(limit: processes) }
        if memory > 0 || memoryReservation > 0 {
            let swap = Cgroups.canLimitSwap && memory > 0 ? effectiveMemoryAndSwap : 0
            resources.memory = .init(
                limit: memory > 0 ? memory : nil, reservation: memoryReservation > 0 ? memoryReservation : nil,
                swap: swap == 0 ? nil : swap)
        }
        if nanoProcessors > 0 || processorShares > 0 || !processorSet.isEmpty {
            var share = RuntimeSpecification.Processors()
            if nanoProcessors > 0 {
                share.period = Self.period
                share.quota = nanoProcessors / (1_000_000_000 / Int64(Self.period))
            }
            if processorShares > 0 { share.shares = UInt64(processorShares) }
            if !processorSet.isEmpty { share.cpus = processorSet }
            resources.cpu = share
        }
    }

    /// Of microseconds, in which a quota is used up.
    private static let period: UInt64 = 100_000
}
