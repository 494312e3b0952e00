import FoundationEssentials
import OCI
import Testing

extension EndToEnd {
    /// `system df`: what it says is what `du` says.
    @Suite(.serialized) struct DiskUsageCommand {
        @Test func numbersAgreeWithTheDisk() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                for (name, size) in [("one", 1_000_000), ("two", 3_000_000)] {
                    let text = "FROM busybox\nRUN head -c \(size) /dev/urandom > /\(name)\n"
                    #expect(try strata.run(["build", "-q", "-t", name, "-f", "-", context], input: text).status == 0)
                }
                try strata("create", "--name", "holder", "one")
                let details = try Self.details(strata)
                let onDisk = try Self.layerSizes(strata)
                #expect(details.layerBytes == onDisk.reduce(0, +))
                #expect(details.layers.map(\.bytes).sorted() == onDisk.sorted())

                let images = Dictionary(details.images.map { ($0.repository, $0) }) { first, _ in first }
                let base = try #require(images["busybox"])
                let one = try #require(images["one"])
                let two = try #require(images["two"])
                // The base is shared by three images and counted once; documents are each image's own.
                #expect(base.sharedBytes + base.uniqueBytes == base.bytes)
                #expect(one.sharedBytes == base.sharedBytes && two.sharedBytes == base.sharedBytes)
                #expect(one.uniqueBytes == one.bytes - one.sharedBytes && one.uniqueBytes >= 1_000_000)
                #expect(details.layers.contains { $0.bytes == base.sharedBytes && $0.images == "3" })
                // The container has ended: once it is pruned, everything can go.
                #expect(details.reclaimableLayerBytes == details.layerBytes)
                #expect(details.storeBytes == (try Self.diskUsage(strata.root)))
                #expect(one.containers == "1" && two.containers == "0")
            }
        }

        @Test func tablesAreDockers() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "--name", "writer", "busybox", "sh", "-c", "head -c 100000 /dev/zero > /zeros")
                let summary = try strata("system", "df").split(separator: "\n").map(String.init)
                #expect(summary[0] == "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE")
                #expect(summary[1].hasPrefix("Images          1         1         "))
                #expect(summary[1].hasSuffix("0B (0%)"))
                #expect(summary[2].hasPrefix("Containers      1         0         "))
                #expect(summary[2].hasSuffix(" (100%)"))
                #expect(summary[3] == "Local Volumes   0         0         0B        0B")
                #expect(summary[4] == "Build Cache     0         0         0B        0B")
                let verbose = try strata("system", "df", "-v")
                for heading in [
                    "Images space usage:\n\nREPOSITORY   TAG       IMAGE ID       CREATED ",
                    "SHARED SIZE   UNIQUE SIZE   CONTAINERS\n",
                    "\nContainers space usage:\n\nCONTAINER ID   IMAGE     COMMAND ",
                    "\nLocal Volumes space usage:\n\n",
                    "\nBuild cache usage: 0B\n\n", "\nLayers space usage: ",
                    "LAYER ID       SIZE      IMAGES    CONTAINERS",
                ] {
                    #expect(verbose.contains(heading), "\(heading) in \(verbose)")
                }
                let json = try strata("system", "df", "--format", "json").split(separator: "\n")
                #expect(json.count == 4)
                #expect(json[1].hasPrefix(#"{"Active":"0","Reclaimable":""#))
                let own = try strata("inspect", "-s", "-f", "{{.SizeRw}}", "writer")
                #expect((100_000..<130_000).contains(Int(own) ?? 0))
            }
        }

        /// Bytes of each layer's tree, as `du` counts them.
        private static func layerSizes(_ strata: Strata) throws -> [Int64] {
            try Program.shell("for l in '\(strata.root)'/layers/*; do du -s --block-size=1 \"$l\"; done")
                .split(separator: "\n").compactMap { $0.split(separator: "\t").first.flatMap { Int64($0) } }
        }

        private static func diskUsage(_ path: String) throws -> Int64 {
            let text = try Program.shell("du -s --block-size=1 '\(path)' | cut -f1")
            return try #require(Int64(text.dropLast()))
        }

        private struct Details: Decodable {
            var images: [Image]
            var layers: [Layer]
            var layerBytes: Int64
            var reclaimableLayerBytes: Int64
            var storeBytes: Int64

            enum CodingKeys: String, CodingKey {
                case images = "Images"
                case layers = "Layers"
                case layerBytes = "LayerBytes"
                case reclaimableLayerBytes = "ReclaimableLayerBytes"
                case storeBytes = "StoreBytes"
            }
        }

        private struct Image: Decodable {
            var repository: String
            var bytes: Int64
            var sharedBytes: Int64
            var uniqueBytes: Int64
            var containers: String

            enum CodingKeys: String, CodingKey {
                case repository = "Repository"
                case bytes = "Bytes"
                case sharedBytes = "SharedBytes"
                case uniqueBytes = "UniqueBytes"
                case containers = "Containers"
            }
        }

        private struct Layer: Decodable {
            var bytes: Int64
            var images: String

            enum CodingKeys: String, CodingKey {
                case bytes = "Bytes"
                case images = "Images"
            }
        }

        private static func details(_ strata: Strata) throws -> Details {
            try JSON.decode(Details.self, from: Data(try strata("system", "df", "-v", "--format", "json").utf8))
        }
    }
}
