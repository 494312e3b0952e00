internal import Glibc

/// A descriptor that somebody else owns and closes, such as our standard input.
public struct BorrowedDescriptor: Hashable, Sendable {
    /// The number.
    public let rawValue: Int32

    /// Names a descriptor that stays open as long as this value is used.
    public init(_ rawValue: Int32) { self.rawValue = rawValue }

    public static let standardInput = BorrowedDescriptor(0)
    public static let standardOutput = BorrowedDescriptor(1)
    public static let standardError = BorrowedDescriptor(2)

    /// read(2) into the buffer; 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let number = rawValue
        return try check { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }

    /// write(2): returns how many bytes were taken.
    public func write(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let number = rawValue
        return try check { Glibc.write(number, buffer.baseAddress, buffer.count) }
    }

    /// Writes all bytes, in as many calls as it takes; waits where the descriptor is non-blocking.
    public func writeAll(_ buffer: UnsafeRawBufferPointer) throws(Errno) {
        var rest = buffer
        while !rest.isEmpty {
            do throws(Errno) {
                rest = UnsafeRawBufferPointer(rebasing: rest[try write(rest)...])
            } catch {
                if error != .EAGAIN { throw error }
                var poll = Poll()
                _ = poll.add(rawValue, .writable)
                try poll.wait()
            }
        }
    }

    /// Whether the descriptor is a terminal.
    public var isTerminal: Bool { isatty(rawValue) == 1 }
}
