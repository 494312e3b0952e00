import Glibc
import Linux
import Synchronization

/// Calls `body` while another thread makes the kernel drop what it caches of directories and inodes, all the time: a file
/// system must not notice but for its speed. It concerns the whole machine.
func whileForgetting<Result>(_ body: () throws -> Result) throws -> Result {
    try dropCaches()
    let isOver = Flag()
    let dropper = PrivateThread.start {
        let pause: UInt32 = 5000
        while !isOver.value.load(ordering: .relaxed) {
            try? dropCaches()
            usleep(pause)
        }
    }
    defer {
        isOver.value.store(true, ordering: .relaxed)
        dropper.join()
    }
    return try body()
}

/// Makes the kernel drop dentries and inodes that nobody uses; not pages.
func dropCaches() throws { try FileDescriptor.open("/proc/sys/vm/drop_caches", .writeOnly).writeAll("2") }

private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
}
