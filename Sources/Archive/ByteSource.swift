package import Linux
public import OCI
import Synchronization

/// Where the bytes of an archive come from: a file, a connection, an entry of another archive.
public protocol ByteSource: AnyObject {
    /// Fills as much of the buffer as is there, at least one byte; 0 at the end.
    ///
    /// Called on another thread than the one that waits for the outcome, and never by two at once.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int

    /// Nobody will read any more: a read that waits should end. Called on any thread.
    func cancel()
}

extension ByteSource {
    public func cancel() {}
}

/// An open file, from its current position on.
package final class FileSource: ByteSource, Sendable {
    private let file: BorrowedDescriptor
    private let owned: FileDescriptor?
    private let isCancelled = Atomic(false)

    /// Reads a descriptor that the caller keeps open as long as this is used.
    package init(_ file: borrowing FileDescriptor) {
        self.file = BorrowedDescriptor(file.rawValue)
        owned = nil
    }

    /// Reads a descriptor and closes it in the end.
    package init(owning file: consuming FileDescriptor) {
        self.file = BorrowedDescriptor(file.rawValue)
        owned = consume file
    }

    package func cancel() { isCancelled.store(true, ordering: .relaxed) }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        do throws(Errno) {
            // A pipe may have nothing for a long time; somebody may have given up meanwhile.
            while true {
                if isCancelled.load(ordering: .relaxed) { return 0 }
                var poll = Poll()
                _ = poll.add(file.rawValue, .readable)
                if try poll.wait(milliseconds: 200) { return try file.read(into: buffer) }
            }
        } catch {
            throw ArchiveError("read the archive", error)
        }
    }
}
