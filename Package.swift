// swift-tools-version: 6.2
// Strata: container images as directories, on a union file system of its own.

import PackageDescription

/// Warnings are errors in CI; a developer's half-written line may still compile.
let strict: [SwiftSetting] =
    Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// `tools/test` runs the tests on release builds; only then are internal declarations open to them, and only then does
/// the store honour the named points of `tools/crash-test`.
let isTesting = Context.environment["STRATA_TESTING"] != nil
let testable: [SwiftSetting] =
    isTesting
    ? [.define("STRATA_TESTING"), .unsafeFlags(["-enable-testing"], .when(configuration: .release))] : []

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + strict + testable

/// Executables carry the Swift runtime, so that a mount server or a container's monitor starts without searching for
/// shared libraries, and a binary can be copied to a machine without Swift. They carry no symbols: half of their size.
/// Not in tests: a test bundle that tests the program is linked with its settings, and the test library is shared.
func selfContained(libraries: [String] = []) -> [LinkerSetting] {
    isTesting
        ? []
        : [
            .unsafeFlags(
                ["-static-stdlib", "-Xlinker", "-s"] + libraries.map { "-l" + $0 }, .when(configuration: .release))
        ]
}

/// Loggers are handed down from the front end to whoever has something to report.
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// What the static Foundation stands on; its module does not name them when it is imported for dynamic linking.
let foundation = ["CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections"]

let package = Package(
    name: "strata",
    products: [
        .executable(name: "strata", targets: ["strata"]),
        .executable(name: "strata-fuse", targets: ["strata-fuse"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // System calls.
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: settings),

        // The union file system.
        .systemLibrary(name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .target(name: "CFuse", dependencies: ["CFuse3"], cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "FUSE", dependencies: ["CFuse", "Linux"], swiftSettings: settings),
        .target(name: "UnionFS", dependencies: ["FUSE", "Linux"], swiftSettings: settings),
        .executableTarget(
            name: "strata-fuse", dependencies: ["UnionFS", "FUSE", "Linux"], swiftSettings: settings,
            linkerSettings: selfContained()),

        // Images, builds, containers.
        // Loads libcrypto (and CCurl libcurl) when it is needed, hence no system library: that would be linked.
        .target(name: "CCrypto"),
        .target(name: "OCI", dependencies: ["CCrypto"], swiftSettings: settings),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(name: "Archive", dependencies: ["CArchive", "Linux", "OCI"], swiftSettings: settings),
        // Stacks of directories without a mount.
        .target(name: "LayerTree", dependencies: ["Linux"], swiftSettings: settings),
        .target(
            name: "ImageStore",
            dependencies: [
                "Archive", "LayerTree", "Linux", "OCI",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: settings),
        // Registries.
        .target(name: "CCurl"),
        .target(name: "Registry", dependencies: ["CCurl", "Linux", "OCI", logging], swiftSettings: settings),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .target(
            name: "Distribution", dependencies: ["Archive", "CDeflate", "ImageStore", "Linux", "OCI", "Registry"],
            swiftSettings: settings),
        .target(name: "Dockerfile", swiftSettings: settings),
        .target(
            name: "Runtime", dependencies: ["ImageStore", "LayerTree", "Linux", "OCI", logging], swiftSettings: settings
        ),
        .target(
            name: "BuildEngine",
            dependencies: ["Dockerfile", "ImageStore", "LayerTree", "Linux", "OCI", "Runtime", logging],
            swiftSettings: settings),
        // Docker's documents, pure values.
        .target(name: "DockerDocuments", dependencies: ["OCI"], swiftSettings: settings),
        // Everything that can be done with a store, for every front end.
        .target(
            name: "Engine",
            dependencies: [
                "BuildEngine", "Distribution", "DockerDocuments", "ImageStore", "Linux", "OCI", "Registry", "Runtime",
                logging,
            ], swiftSettings: settings),
        // What people read.
        .target(name: "Rendering", dependencies: ["Linux", "OCI"], swiftSettings: settings),
        .executableTarget(
            name: "strata",
            dependencies: [
                "BuildEngine", "Distribution", "DockerDocuments", "Dockerfile", "Engine", "ImageStore", "Linux", "OCI",
                "Registry", "Rendering", "Runtime", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings, linkerSettings: selfContained(libraries: foundation)),

        // Tests.
        .target(name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(name: "LinuxTests", dependencies: ["Linux"], swiftSettings: settings),
        .testTarget(name: "FUSETests", dependencies: ["FUSE", "Linux", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "UnionFSTests", dependencies: ["UnionFS", "FUSE", "Linux"], swiftSettings: settings),
        .testTarget(name: "OCITests", dependencies: ["OCI", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "ArchiveTests", dependencies: ["Archive", "Linux", "OCI"], swiftSettings: settings),
        .testTarget(
            name: "LayerTreeTests", dependencies: ["LayerTree", "Linux", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ImageStoreTests", dependencies: ["Archive", "ImageStore", "OCI", "Linux", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "RegistryTests",
            dependencies: ["Distribution", "ImageStore", "Linux", "OCI", "Registry", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DockerfileTests", dependencies: ["Dockerfile", "TestSupport"], exclude: ["testfiles"],
            swiftSettings: settings),
        .testTarget(
            name: "RuntimeTests", dependencies: ["Runtime", "ImageStore", "OCI", "Linux", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "BuildEngineTests",
            dependencies: [
                "BuildEngine", "Dockerfile", "ImageStore", "LayerTree", "OCI", "Linux", "Runtime", "TestSupport",
            ],
            swiftSettings: settings),
        .testTarget(name: "RenderingTests", dependencies: ["Linux", "OCI", "Rendering"], swiftSettings: settings),
        .testTarget(
            name: "DockerDocumentsTests", dependencies: ["DockerDocuments", "OCI", "Rendering"], exclude: ["oracle"],
            swiftSettings: settings),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "BuildEngine", "DockerDocuments", "Engine", "ImageStore", "Linux", "OCI", "Runtime", "TestSupport",
            ], swiftSettings: settings),
        .testTarget(
            name: "FileSystemTests", dependencies: ["CLinux", "Linux", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["strata", "BuildEngine", "ImageStore", "Linux", "OCI", "Runtime", "TestSupport"],
            exclude: ["comparisons", "contexts"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
