import Glibc
import Linux
import Testing

/// POSIX access control lists: how they pass on, and what they have to do with modes and with set-id bits.
@Suite struct AccessListTests {
    private static let access = "system.posix_acl_access"
    private static let inherited = "system.posix_acl_default"
    private static let user: UInt32 = 1000
    private static let group: UInt32 = 2000

    private static let (ownerTag, userTag, groupTag, namedGroupTag, maskTag, otherTag):
        (
            UInt16, UInt16, UInt16, UInt16, UInt16, UInt16
        ) = (1, 2, 4, 8, 0x10, 0x20)

    /// u::rwx, u:USER:rwx, g::r-x, g:GROUP:r-x, mask, o::---
    private static func list(mask: UInt16) -> [UInt8] {
        PermissionTests.list([
            (ownerTag, 7, .max), (userTag, 7, user), (groupTag, 5, .max), (namedGroupTag, 5, group),
            (maskTag, mask, .max),
            (otherTag, 0, .max),
        ])
    }

    @Test("chmod changes the mask, not the group's entry", arguments: Subject.allCases)
    func chmodChangesMask(on subject: Subject) throws {
        try subject.stage(given: {
            try $0.file("f", "text", mode: 0o600)
            try $0.root.setAttribute(Self.access, of: "f", Self.list(mask: 7))
        }) { stage in
            try stage.act { area throws in
                #expect(try area.status("f").permissions == 0o770)
                try area.setMode("f", 0o740)
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.root.attribute(Self.access, of: "f") == Self.list(mask: 4))
                try asUser(Self.user) { _ = try area.open("f") }
                asUser(Self.user) { expectError(.EACCES) { _ = try area.open("f", .readWrite) } }
                // By a group alone.
                try asUser(1234, group: Self.group) { _ = try area.open("f") }
            }
        }
    }

    @Test("a list of three entries is the mode, and nothing is kept", arguments: Subject.allCases)
    func minimalList(on subject: Subject) throws {
        let minimal = PermissionTests.list([
            (Self.ownerTag, 6, .max), (Self.groupTag, 4, .max), (Self.otherTag, 4, .max),
        ])
        try subject.run(given: {
            try $0.file("f", "text", mode: 0o600)
            try $0.root.setAttribute(Self.access, of: "f", Self.list(mask: 7))
        }) { area throws in
            try area.root.setAttribute(Self.access, of: "f", minimal)
            #expect(try area.status("f").permissions == 0o644)
            #expect(try area.root.attribute(Self.access, of: "f") == nil)
        }
    }

    @Test("a default list passes to every kind of object, cut down by the mode asked for", arguments: Subject.allCases)
    func inheritance(on subject: Subject) throws {
        try subject.stage(given: {
            try $0.directory("d", mode: 0o700)
            try $0.root.setAttribute(Self.inherited, of: "d", Self.list(mask: 7))
            try $0.directory("d/given")
            try $0.file("d/deleted")
        }) { stage in
            try stage.act { area throws in
                try area.remove("d/deleted")
                try withMask(0o077) {
                    for name in ["f", "deleted"] {
                        _ = try area.open("d/" + name, [.writeOnly, .create], mode: 0o640)
                    }
                    try area.root.makeDirectory("d/e", mode: 0o750)
                    try area.root.makeNode("d/p", mode: S_IFIFO | 0o640)
                    try area.symlink("d/l", to: "f")
                }
                let unnamed = try area.open("d", [.temporaryFile, .readWrite], mode: 0o640)
                try unnamed.makeLink(in: area.root, at: "d/unnamed")
                // The default list of a directory in a layer is that of its copy.
                _ = try area.open("d/given/f", [.writeOnly, .create], mode: 0o640)
            }
            try stage.beforeAndAfterRemount { area throws in
                for name in ["f", "deleted", "p", "given/f"] {
                    let list = try area.root.attribute(Self.access, of: "d/" + name)
                    #expect(
                        list
                            == PermissionTests.list([
                                (Self.ownerTag, 6, .max), (Self.userTag, 7, Self.user), (Self.groupTag, 5, .max),
                                (Self.namedGroupTag, 5, Self.group), (Self.maskTag, 4, .max), (Self.otherTag, 0, .max),
                            ]), "\(name)")
                    #expect(try area.status("d/" + name).permissions == 0o640, "\(name)")
                }
                #expect(try area.root.attribute(Self.access, of: "d/e") == Self.list(mask: 5))
                #expect(try area.root.attribute(Self.inherited, of: "d/e") == Self.list(mask: 7))
                #expect(try area.root.attribute(Self.inherited, of: "d/given") == Self.list(mask: 7))
                #expect(try area.status("d/l").permissions == 0o777)
                #expect(try area.status("d/unnamed").permissions == 0o640)
                #expect(try area.root.attribute(Self.access, of: "d/unnamed") != nil)
            }
        }
    }

    @Test("without the default list the umask counts again", arguments: Subject.allCases)
    func removeDefault(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.root.setAttribute(Self.inherited, of: "d", Self.list(mask: 7))
        }) { area throws in
            try withMask(0o077) { _ = try area.open("d/a", [.writeOnly, .create], mode: 0o666) }
            #expect(try area.status("d/a").permissions == 0o660)
            try area.open("d", [.directory]).removeAttribute(Self.inherited)
            try withMask(0o077) { _ = try area.open("d/b", [.writeOnly, .create], mode: 0o666) }
            #expect(try area.status("d/b").permissions == 0o600)
            try area.root.setAttribute(Self.inherited, of: "d", Self.list(mask: 7))
            try withMask(0o077) { _ = try area.open("d/c", [.writeOnly, .create], mode: 0o666) }
            #expect(try area.status("d/c").permissions == 0o660)
            expectError(.EACCES) { try area.root.setAttribute(Self.inherited, of: "d/c", Self.list(mask: 7)) }
        }
    }

    @Test("a list set by an owner outside of the group takes the set-group-id bit away", arguments: Subject.allCases)
    func setGroupID(on subject: Subject) throws {
        try subject.run(given: {
            for name in ["f", "g"] {
                try $0.file(name)
                try $0.setOwner(name, uid: Self.user, gid: Self.group)
                try $0.setMode(name, 0o2755)
            }
        }) { area throws in
            try asUser(Self.user) { try area.root.setAttribute(Self.access, of: "f", Self.list(mask: 7)) }
            #expect(try area.status("f").permissions == 0o770)
            try asUser(Self.user, group: Self.group) {
                try area.root.setAttribute(Self.access, of: "g", Self.list(mask: 7))
            }
            #expect(try area.status("g").permissions == 0o2770)
        }
    }

    @Test("only the owner sets a list; links have none", arguments: Subject.allCases)
    func refusals(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", mode: 0o666)
            try $0.symlink("l", to: "f")
        }) { area throws in
            asUser(Self.user) {
                expectError(.EPERM) { try area.root.setAttribute(Self.access, of: "f", Self.list(mask: 7)) }
            }
            expectError(.EOPNOTSUPP) { try area.root.setAttribute(Self.access, of: "l", Self.list(mask: 7)) }
            #expect(try area.status("f").permissions == 0o666)
        }
    }
}
