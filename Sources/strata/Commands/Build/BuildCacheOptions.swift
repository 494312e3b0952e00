import ArgumentParser
import BuildEngine
import ImageStore
import Registry

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

    /// The caches that results are left in; read before anything is built.
    func targets() throws -> [BuildCache] { try cacheTo.map { try BuildCache($0, option: "--cache-to") } }

    /// Puts them into the options of the builder.
    func apply(
        to options: inout BuildOptions, _ targets: [BuildCache], _ store: ImageStore, _ settings: RegistrySettings
    ) throws {
        options.cacheSources = try cacheFrom.compactMap {
            try BuildCache($0, option: "--cache-from").source(store, settings)
        }
        options.embedsCache = targets.contains { $0.kind == .inline }
    }
}
