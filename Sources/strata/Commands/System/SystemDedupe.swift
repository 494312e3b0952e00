import ArgumentParser
import ImageStore
import Linux
import Rendering

/// `strata system dedupe`
struct SystemDedupe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dedupe", abstract: "Have files of different layers that are the same share their space on disk.",
        discussion: """
            The file system of the store must be able to share (XFS and Btrfs are). The kernel compares the files; nothing \
            else about them changes.

            EXAMPLE: strata system dedupe --dry-run
            EXAMPLE: strata system dedupe
            """)

    @OptionGroup var globals: GlobalOptions

    @Flag(help: "Only count what would be shared.")
    var dryRun = false

    func run() throws {
        let store = try globals.openStore()
        let before = try free(store)
        let report = try store.dedupe(isTrial: dryRun)
        let gain = HumanUnits.size(report.sharedBytes, digits: 4)
        try Console.print("Files: \(report.fileCount), sharing before: \(report.knownCount)")
        if dryRun {
            try Console.print("Would share: \(report.sharedCount) files, \(gain)")
        } else {
            try Console.print("Sharing now: \(report.sharedCount) files more")
            try Console.print("Total reclaimed space: \(gain)")
            let after = try free(store)
            try Console.print(
                "Free on the file system: \(HumanUnits.size(before)) before, \(HumanUnits.size(after)) after")
        }
    }

    private func free(_ store: ImageStore) throws(CommandError) -> Int64 {
        do throws(Errno) {
            try FileDescriptor.open(store.root, [.directory]).syncFileSystem()
            let status = try FileSystemStatus(path: store.root)
            return Int64(clamping: status.blocksFree &* status.fragmentSize)
        } catch {
            throw CommandError(.failed, "cannot ask for the free space of \(store.root): \(error)")
        }
    }
}
