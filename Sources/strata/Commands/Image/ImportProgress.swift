import Engine
import Glibc
import Linux
import Rendering
import Runtime
import Synchronization

/// Shows on a terminal how much of an archive has been read, several times a second.
final class ImportProgress: Sendable {
    /// One of its own, which stays open: the position is that of the archive.
    private let archive: FileDescriptor
    /// Bytes of the archive; 0 where they are not known.
    private let total: Int64
    private let isDone = Atomic(false)
    private let line = Mutex(LiveLines())
    private let thread = Mutex<pthread_t?>(nil)

    private init(_ archive: consuming FileDescriptor, total: Int64) {
        self.archive = archive
        self.total = total
    }

    /// The same for what is loaded; nil for a directory as well.
    static func begin(_ source: borrowing LoadSource) -> ImportProgress? {
        switch source {
        case .archive(let archive): begin(archive)
        case .directory: nil
        }
    }

    /// Begins to show progress; nil where standard error is no terminal or the archive is no file.
    static func begin(_ archive: borrowing FileDescriptor) -> ImportProgress? {
        guard Console.errorIsTerminal, let own = try? archive.duplicate(), lseek(own.rawValue, 0, SEEK_CUR) >= 0
        else { return nil }
        let total = (try? own.status().size) ?? 0
        let progress = ImportProgress(own, total: total)
        let context = Unmanaged.passRetained(progress).toOpaque()
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ImportProgress>.fromOpaque(context).takeRetainedValue().show()
                return nil
            }, context)
        if result != 0 {
            Unmanaged<ImportProgress>.fromOpaque(context).release()
            return nil
        }
        let started = thread
        progress.thread.withLock { $0 = started }
        return progress
    }

    /// Clears the line.
    func end() {
        isDone.store(true, ordering: .relaxed)
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let thread {
            pthread_join(thread, nil)
            Console.remark(verbatim: line.withLock { $0.erased() })
        }
    }

    private func show() {
        var rounds = 0
        while !isDone.load(ordering: .relaxed) {
            usleep(20_000)
            rounds += 1
            // What takes no time needs no progress.
            if rounds % 8 != 0 { continue }
            let position = Int64(lseek(archive.rawValue, 0, SEEK_CUR))
            let of = total > 0 ? " of \(HumanUnits.size(total))" : ""
            let columns = Int(Terminal.drawingSize(of: 2).columns)
            let text = "Importing \(HumanUnits.size(max(0, position)))\(of)"
            Console.remark(verbatim: line.withLock { $0.drawn([ShortText.ellipsis(text, max(1, columns - 1))]) })
        }
    }
}
