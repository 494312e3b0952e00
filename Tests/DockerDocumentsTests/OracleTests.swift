import DockerDocuments
import Foundation
import OCI
import Rendering
import Testing

/// Documents that dockerd 20.10 wrote are read and written again; what comes out is what went in, but for the members that
/// later versions have dropped.
@Suite struct OracleTests {
    private static let dropped: Set<String> = [
        "Container", "ContainerConfig", "KernelMemory", "KernelMemoryTCP", "VirtualSize", "BuilderSize",
    ]

    private func document(_ name: String) throws -> Data {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return try Data(contentsOf: directory.appendingPathComponent("oracle/\(name).json"))
    }

    /// Without what Docker has dropped.
    private func current(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(members.filter { !Self.dropped.contains($0.key) }.mapValues(current))
        case .array(let values): .array(values.map(current))
        default: value
        }
    }

    private func expectSame<Document: Codable>(_ type: Document.Type, _ name: String) throws {
        let data = try document(name)
        let read = try JSON.decode(type, from: data)
        let expected = current(try JSON.decode(JSONValue.self, from: data))
        #expect(try JSON.decode(JSONValue.self, from: try JSON.encode(read)) == expected, "\(name)")
        // The other encoder writes the same.
        let shown = try Value(encoding: read).json
        #expect(try JSON.decode(JSONValue.self, from: Data(shown.utf8)) == expected, "\(name)")
    }

    @Test func dockersDocumentsComeOutAsTheyWere() throws {
        try expectSame(ContainerInspection.self, "container-running")
        try expectSame(ContainerInspection.self, "container-created")
        try expectSame(ImageInspection.self, "image")
        try expectSame(VolumeDocument.self, "volume")
        try expectSame([ContainerListEntry].self, "containers")
        try expectSame([ImageListEntry].self, "images")
        try expectSame([ImageHistoryEntry].self, "history")
        try expectSame(VolumeListing.self, "volumes")
        try expectSame(DiskUsageDocument.self, "disk-usage")
    }

    /// `docker inspect` prints members in this order.
    @Test func membersAreInDockersOrder() throws {
        func names(_ text: String) -> [Substring] {
            text.split(separator: "\n").compactMap { $0.firstMatch(of: /^ *"([A-Za-z0-9_]+)":/)?.output.1 }
        }
        for name in ["container-running", "container-created"] {
            let data = try document(name)
            let shown = try Value(encoding: try JSON.decode(ContainerInspection.self, from: data)).indentedJSON
            let expected = names(String(decoding: data, as: UTF8.self)).filter { !Self.dropped.contains(String($0)) }
            // Docker has changed the order within its networks since.
            let end = try #require(expected.firstIndex(of: "NetworkSettings"))
            #expect(names(shown).prefix(end) == expected.prefix(end))
        }
    }

    /// What Docker has of facts and of the version, Strata has under the same names.
    @Test func factsHaveDockersNames() throws {
        let own: Set<String> = ["Layers", "MountHelper", "StrataRootDir"]
        func names(_ value: JSONValue) throws -> Set<String> {
            guard case .object(let members) = value else { return [] }
            return Set(members.keys)
        }
        func ours(_ document: some Encodable) throws -> Set<String> {
            try names(try JSON.decode(JSONValue.self, from: try JSON.encode(document))).subtracting(own)
        }
        let info = try names(try JSON.decode(JSONValue.self, from: try document("info")))
        #expect(try ours(SystemInformation()).isSubset(of: info))
        let version = try names(try JSON.decode(JSONValue.self, from: try document("version")))
        #expect(try ours(VersionInformation()).isSubset(of: version))
    }

    @Test func templatesSeeWhatIsLeftOut() throws {
        let value = try Value(encoding: ContainerInspection())
        func shown(_ template: String) throws -> String { try Template(template).text(for: value) }
        #expect(try shown("{{.Config.Tty}} {{.Config.Image}}|{{.HostConfig.Binds}}") == "false |[]")
        #expect(try shown("{{.SizeRw}} {{.Config.Labels}} {{.HostConfig.PidsLimit}}") == "0 map[] <nil>")
        #expect(try shown("{{.Config.Labels.a}}{{json .HostConfig.Binds}}") == "<no value>null")
        #expect(try shown("{{len .Mounts}} {{.Config.ExposedPorts}} {{.Config.Healthcheck}}") == "0 map[] <nil>")
        #expect(!value.json.contains("SizeRw"))
        #expect(throws: (any Error).self) { try shown("{{.Nothing}}") }
    }
}
