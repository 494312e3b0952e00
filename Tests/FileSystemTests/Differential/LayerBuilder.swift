import Glibc
import Linux

/// Makes the lower layers of a run, one above the other.
struct LayerBuilder {
    private let scratch: String
    /// Uppermost first, as in the mount option.
    private(set) var lower: [String] = []
    private var count = 0

    init(in scratch: String) { self.scratch = scratch }

    /// A layer made by hand. Operations that fail do nothing: a shortened script has such.
    mutating func add(_ operations: [Operation]) throws {
        let path = try makeDirectory(nextPath())
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
        let place = try makeDirectory(nextPath())
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

    private mutating func nextPath() -> String {
        count += 1
        return scratch.appending("l\(count)")
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
