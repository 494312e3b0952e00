import Testing

@testable import UnionFS

/// Owners that programs and layers know by different ids.
@Suite struct OwnerMappingTests {
    @Test func `ranges are mapped there and back, and what is outside of them is the overflow id`() throws {
        let mapping = try #require(IDMapping("0:1000:1:1:110000:65536", overflow: 60000))
        for (layer, shown) in [(0, 1000), (1, 110000), (2, 110001), (65536, 175535)] as [(UInt32, UInt32)] {
            #expect(mapping.shown(layer) == shown && mapping.inLayer(shown) == layer)
        }
        #expect(mapping.shown(65537) == 60000 && mapping.inLayer(0) == 60000 && mapping.inLayer(1001) == 60000)
        #expect(!mapping.isIdentity && IDMapping().isIdentity && IDMapping().shown(7) == 7)
    }

    @Test func `the last id there is`() throws {
        let mapping = try #require(IDMapping("4294967290:0:6"))
        #expect(mapping.shown(.max) == 5 && mapping.inLayer(5) == .max && mapping.inLayer(6) == 65534)
    }

    @Test func `what is squashed is shown as one id and kept as another`() throws {
        var mapping = try #require(IDMapping("0:100:10"))
        mapping.squashed = 42
        #expect(mapping.shown(3) == 42 && mapping.inLayer(103) == 3 && mapping.mapped(3) == 103)
    }

    @Test(arguments: ["", ":", "1", "1:2", "1:2:3:4", "a:b:c", "0:0:4294967297", "1:0:4294967296", "-1:0:1"])
    func `what is no mapping`(text: String) { #expect(IDMapping(text) == nil) }

    @Test func `ids in access control lists`() throws {
        var owners = OwnerMapping()
        owners.users = try #require(IDMapping("0:1000:100"))
        owners.groups = try #require(IDMapping("0:2000:100"))
        owners.users.squashed = 0
        // Version 2; owner, user 5, group, group 6, mask, and half an entry too much.
        let list: [UInt32] = [2, 0x7_0001, .max, 0x7_0002, 5, 0x5_0004, .max, 0x4_0008, 6, 0x7_0010, .max, 0x2]
        var value = list
        value.withUnsafeMutableBytes { owners.translate(acl: $0, toLayer: false) }
        #expect(value[4] == 1005 && value[8] == 2006)
        value.withUnsafeMutableBytes { owners.translate(acl: $0, toLayer: true) }
        #expect(value == list)
        for count in 0..<12 {
            var short = [UInt8](repeating: 2, count: count)
            short.withUnsafeMutableBytes { owners.translate(acl: $0, toLayer: true) }
        }
    }
}
