/// Keeps the entries of directories in memory that were read lately, up to a limit.
final class ListingCache: @unchecked Sendable {
    /// Entries of all directories together; a directory counts as 16 at least.
    private static let limit = 1 << 17

    /// When a directory was read. It is out of date if the directory was read again later.
    private struct Turn {
        let directory: DirectoryState
        let number: UInt64
    }

    private let lock = Lock()
    /// In the order in which they were read, from `head` on.
    private var turns: [Turn] = []
    private var head = 0
    private var number: UInt64 = 0
    private var total = 0

    /// Keeps a directory's entries, and lets those go that were read longest ago.
    func keep(_ listing: MergedDirectory, for directory: DirectoryState) {
        lock.with {
            releaseLocked(directory)
            number += 1
            directory.lock.with {
                directory.listing = listing
                directory.listingNumber = number
            }
            turns.append(Turn(directory: directory, number: number))
            total += listing.weight
            while total > Self.limit && head < turns.count - 1 {
                let oldest = turns[head]
                head += 1
                if oldest.directory.lock.with({ oldest.directory.listingNumber }) == oldest.number {
                    releaseLocked(oldest.directory)
                }
            }
            // Directories that are dropped leave their turns behind.
            if turns.count > 1024 && (head > turns.count / 2 || turns.count > Self.limit) { compactLocked() }
        }
    }

    /// A name has come or gone: keeps what `change` makes of the entries, if they are kept, and lets them go where it makes
    /// nothing of them.
    func update(_ directory: DirectoryState, _ change: (MergedDirectory) -> MergedDirectory?) {
        let isKept = directory.lock.with { () -> Bool in
            guard let listing = directory.listing else { return true }
            guard let changed = change(listing) else { return false }
            directory.listing = changed
            return true
        }
        if !isKept { drop(directory) }
    }

    /// The directory has changed, or nobody knows it any more.
    func drop(_ directory: DirectoryState) {
        if directory.lock.with({ directory.listing == nil }) { return }
        lock.with { releaseLocked(directory) }
    }

    private func releaseLocked(_ directory: DirectoryState) {
        directory.lock.with {
            guard let listing = directory.listing else { return }
            total -= listing.weight
            directory.listing = nil
            directory.listingNumber = 0
        }
    }

    private func compactLocked() {
        turns = turns[head...].filter { turn in
            turn.directory.lock.with { turn.directory.listingNumber } == turn.number
        }
        head = 0
    }
}
