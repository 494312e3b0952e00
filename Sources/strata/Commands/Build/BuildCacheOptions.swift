import ArgumentParser
import Engine

/// Caches of `build` besides the store's own; Docker's names.
struct BuildCacheOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Take results from a cache: type=local,src=DIRECTORY, type=registry,ref=NAME, or the name of an image.",
            valueName: "cache"))
    var cacheFrom: [String] = []

    @Option(
        help: ArgumentHelp(
            "Leave results in a cache: type=local,dest=DIRECTORY, type=registry,ref=NAME or type=inline; mode=max for "
                + "those of all stages, mounts=true for cache mounts too.", valueName: "cache"))
    var cacheTo: [String] = []

    /// Puts them into a request.
    func apply(to request: inout BuildRequest) throws {
        request.cacheSources = try cacheFrom.map { try BuildCache($0, option: "--cache-from") }
        request.cacheTargets = try cacheTo.map { try BuildCache($0, option: "--cache-to") }
    }
}
