import ArgumentParser
import Rendering
import Runtime

/// What `create` and `run` take for what a container may use; Docker's names.
struct ResourceOptions: ParsableArguments {
    @Option(
        name: [.customShort("m", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp("Memory, such as 512m; at least 6m.", valueName: "bytes"))
    var memory: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Memory and swap space together (default: twice the memory; -1: any).", valueName: "bytes"))
    var memorySwap: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Memory to be left with when the machine runs short.", valueName: "bytes"))
    var memoryReservation: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Processors, such as 1.5.", valueName: "number"))
    var cpus: String?

    @Option(
        name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp("The weight against others when processors are short (default: 1024).", valueName: "weight"))
    var cpuShares: Int64?

    @Option(help: ArgumentHelp("The processors to run on, such as 0-2,4.", valueName: "list"))
    var cpusetCpus: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Processes and threads at a time (default: \(ResourceLimits.standardProcesses); -1: any number).",
            valueName: "number"))
    var pidsLimit: Int64?

    /// What is said where limits cannot be set.
    static let remarkWithoutLimits =
        "this user cannot make control groups: nothing limits the processes, memory and processors that are used"

    /// The limits; a usage error for a value that is no size or number.
    func limits() throws -> ResourceLimits {
        var limits = ResourceLimits()
        if let memory { limits.memory = try HumanUnits.bytes(memory) }
        if let memorySwap { limits.memoryAndSwap = memorySwap == "-1" ? -1 : try HumanUnits.bytes(memorySwap) }
        if let memoryReservation { limits.memoryReservation = try HumanUnits.bytes(memoryReservation) }
        if let cpus { limits.nanoProcessors = try Self.nanoProcessors(cpus) }
        if let cpuShares { limits.processorShares = cpuShares }
        if let cpusetCpus { limits.processorSet = cpusetCpus }
        if let pidsLimit { limits.processes = pidsLimit }
        return limits
    }

    /// Billionths of a processor.
    private static func nanoProcessors(_ text: String) throws(CommandError) -> Int64 {
        guard let number = Double(text), number.isFinite, abs(number) < 1e9 else {
            throw CommandError(.usage, "invalid --cpus: failed to parse \(text) as a rational number")
        }
        let nano = (number * 1e9).rounded()
        if nano == 0, number != 0 { throw CommandError(.usage, "invalid --cpus: \(text) is too precise") }
        return Int64(nano)
    }
}
