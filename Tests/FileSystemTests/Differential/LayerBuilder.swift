import Glibc
import Linux
import TestSupport

/// Makes the lower layers of a run, one above the other.
struct LayerBuilder {
    private let scratch: String
    /// A mount of another file system, where there is a layer on one.
    private var other: String?
    /// Uppermost first, as in the mount option.
    private(set) var lower: [String] = []
    private var count = 0

    private init(in scratch: String) { self.scratch = scratch }

    /// Calls `body` with a builder; what it has built is gone afterwards.
    static func with<Result>(_ body: (inout LayerBuilder) throws -> Result) throws -> Result {
        try withScratch { scratch in
            var builder = LayerBuilder(in: scratch)
            defer { if let other = builder.other { try? Mount.unmount(other, flags: [.detach, .noFollow]) } }
            return try body(&builder)
        }
    }

    private mutating func otherPath() throws -> String {
        if let other { return other }
        let path = try makeDirectory(scratch.appending("other"))
        try Mount.mount(source: "tmpfs", target: path, type: "tmpfs")
        other = path
        return path
    }

    /// A layer made by hand. Operations that fail do nothing: a shortened script has such.
    mutating func add(_ operations: [Operation], elsewhere: Bool) throws {
        let path = try makeDirectory(nextPath(in: elsewhere ? otherPath() : scratch))
        try Area.with(path) { area in
            let player = Player(area)
            for operation in operations { _ = player.play(operation) }
            player.finish()
        }
        try finish(path)
    }

    /// A layer that was the upper directory of a mount: calls `body` with a player on that mount, and returns what the
    /// union was like in the end.
    mutating func add(by maker: Script.Maker, _ body: (Player) throws -> Void) throws -> TreeSnapshot {
        let server: MountedUnion.Server = maker == .strata ? .strata : .kernel
        let place = try makeDirectory(nextPath(in: scratch))
        let union = try MountedUnion(
            server, in: place, lower: lower, writable: true, options: Fuzzer.options(server))
        try union.mount()
        let result: TreeSnapshot
        do {
            try Area.with(union.target) { area in
                let player = Player(area)
                defer { player.finish() }
                try body(player)
            }
            result = try TreeSnapshot(of: union.target, recent: Player.recent)
            try union.unmount()
        } catch {
            try? Mount.unmount(union.target, flags: [.detach, .noFollow])
            throw error
        }
        try finish(place.appending("upper"))
        return result
    }

    private mutating func nextPath(in directory: String) -> String {
        count += 1
        return directory.appending("l\(count)")
    }

    /// Gives everything times that the same script always gives.
    private mutating func finish(_ path: String) throws {
        let snapshot = try TreeSnapshot(of: path)
        try Area.with(path) { area in
            // Children before parents, so that no time is changed again.
            for (index, name) in snapshot.entries.keys.sorted(by: >).enumerated() {
                let time = TimeSpec(seconds: 1_000_000_000 + Int64(count * 1000 + index), nanoseconds: 123_456_789)
                try area.root.setTimes(of: name, access: time, modification: time)
            }
        }
        lower.insert(path, at: 0)
    }
}
