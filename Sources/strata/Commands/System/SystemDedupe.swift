import ArgumentParser
import Engine
import ImageStore
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
        let outcome = try globals.openEngine().dedupe(isDryRun: dryRun)
        let report = outcome.report
        let gain = HumanUnits.size(report.sharedBytes, digits: 4)
        try Console.print("Files: \(report.fileCount), sharing before: \(report.knownCount)")
        if dryRun {
            try Console.print("Would share: \(report.sharedCount) files, \(gain)")
        } else {
            try Console.print("Sharing now: \(report.sharedCount) files more")
            try Console.print("Total reclaimed space: \(gain)")
            let (before, after) = (HumanUnits.size(outcome.freeBefore), HumanUnits.size(outcome.freeAfter))
            try Console.print("Free on the file system: \(before) before, \(after) after")
        }
    }
}
