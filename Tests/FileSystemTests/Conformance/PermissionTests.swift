import Glibc
import Linux
import Testing

/// Who may do what: mode bits, sticky directories, access control lists.
@Suite struct PermissionTests {
    private static let user: UInt32 = 1000
    private static let other: UInt32 = 1001

    @Test("mode bits hold for owner, group and others", arguments: Subject.allCases)
    func modeBits(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("private", "p", mode: 0o600)
            try $0.file("owned", "o", mode: 0o400)
            try $0.setOwner("owned", uid: Self.user, gid: Self.user)
            try $0.file("group", "g", mode: 0o060)
            try $0.setOwner("group", uid: 0, gid: Self.user)
        }) { area throws in
            try asUser(Self.user) {
                expectError(.EACCES) { _ = try area.open("private") }
                expectError(.EACCES) { _ = try area.open("owned", .writeOnly) }
                _ = try area.open("owned")
                _ = try area.open("group", .readWrite)
            }
            asUser(Self.other) {
                expectError(.EACCES) { _ = try area.open("owned") }
                expectError(.EACCES) { _ = try area.open("group") }
            }
            _ = try area.open("private", .readWrite)
        }
    }

    @Test("a directory needs x to be entered, r to be listed, w to be changed", arguments: Subject.allCases)
    func directoryBits(on subject: Subject) throws {
        try subject.run(given: {
            for (name, mode) in [("x", UInt32(0o711)), ("r", 0o744), ("w", 0o777), ("none", 0o700)] {
                try $0.directory(name)
                try $0.file(name + "/f", mode: 0o644)
                try $0.setMode(name, mode)
            }
        }) { area throws in
            try asUser(Self.user) {
                _ = try area.open("x/f")
                expectError(.EACCES) { _ = try area.open("x", [.directory]) }
                expectError(.EACCES) { try area.file("x/new") }
                expectError(.EACCES) { try area.remove("x/f") }
                _ = try area.open("r", [.directory])
                expectError(.EACCES) { _ = try area.open("r/f") }
                expectError(.EACCES) { _ = try area.status("none/f") }
                try area.file("w/new")
                try area.remove("w/f")
                expectError(.EACCES) { try area.rename("x/f", "w/f") }
                expectError(.EACCES) { try area.rename("w/new", "x/new") }
            }
            #expect(try area.names("w") == ["new"])
            #expect(try area.status("w/new").uid == Self.user)
        }
    }

    @Test("what another user makes belongs to that user", arguments: Subject.allCases)
    func ownership(on subject: Subject) throws {
        try subject.run(given: { try $0.directory("d", mode: 0o777) }) { area throws in
            try asUser(Self.user, group: 2000) {
                try area.file("d/f")
                try area.root.makeDirectory("d/e", mode: 0o755)
                try area.symlink("d/l", to: "f")
                try area.root.makeNode("d/p", mode: S_IFIFO | 0o600)
                try area.link("d/h", to: "d/f")
            }
            for name in ["f", "e", "l", "p", "h"] {
                let status = try area.status("d/" + name)
                #expect(status.uid == Self.user && status.gid == 2000, "\(name)")
            }
        }
    }

    @Test("only the owner changes mode, owner and times", arguments: Subject.allCases)
    func ownerOnly(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("mine", mode: 0o644)
            try $0.setOwner("mine", uid: Self.user, gid: Self.user)
            try $0.file("theirs", mode: 0o666)
        }) { area throws in
            let time = TimeSpec(seconds: 1_000_000_000)
            try asUser(Self.user) {
                try area.setMode("mine", 0o600)
                try area.root.setTimes(of: "mine", access: time, modification: time)
                expectError(.EPERM) { try area.setMode("theirs", 0o600) }
                expectError(.EPERM) { try area.root.setTimes(of: "theirs", access: time, modification: time) }
                try area.root.setTimes(of: "theirs", access: .now, modification: .now)
                expectError(.EPERM) { try area.setOwner("mine", uid: Self.other, gid: nil) }
                expectError(.EPERM) { try area.setOwner("theirs", uid: Self.user, gid: nil) }
            }
            #expect(try area.status("mine").permissions == 0o600)
            #expect(try area.status("theirs").uid == 0)
        }
    }

    @Test("in a sticky directory only owners remove and rename", arguments: Subject.allCases)
    func sticky(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("t", mode: 0o1777)
            for (name, owner) in [("a", Self.user), ("b", Self.other)] {
                try $0.file("t/" + name)
                try $0.setOwner("t/" + name, uid: owner, gid: owner)
            }
        }) { area throws in
            try asUser(Self.user) {
                expectError(.EPERM) { try area.remove("t/b") }
                expectError(.EPERM) { try area.rename("t/b", "t/c") }
                expectError(.EPERM) { try area.rename("t/a", "t/b") }
                try area.rename("t/a", "t/c")
                try area.remove("t/c")
            }
            #expect(try area.names("t") == ["b"])
        }
    }

    @Test("access(2) says what open(2) does", arguments: Subject.allCases)
    func accessCall(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", mode: 0o604)
            try $0.file("program", mode: 0o755)
        }) { area throws in
            let (file, program) = (area.path.appending("f"), area.path.appending("program"))
            asUser(Self.user) {
                #expect(mayAccess(file, R_OK) && !mayAccess(file, W_OK) && !mayAccess(file, X_OK))
                #expect(mayAccess(program, X_OK) && !mayAccess(program, W_OK))
            }
            #expect(mayAccess(file, W_OK) && !mayAccess(file, X_OK))
            #expect(!mayAccess(file + "-missing", F_OK))
        }
    }

    @Test("a change of mode holds at once", arguments: Subject.allCases)
    func changeHolds(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", mode: 0o644)
            try $0.directory("d", mode: 0o755)
            try $0.file("d/g", mode: 0o644)
        }) { area throws in
            try asUser(Self.user) { for name in ["f", "d/g"] { _ = try area.open(name) } }
            try area.setMode("f", 0o600)
            try area.setMode("d", 0o700)
            asUser(Self.user) {
                expectError(.EACCES) { _ = try area.open("f") }
                expectError(.EACCES) { _ = try area.open("d/g") }
            }
            try area.setMode("f", 0o604)
            try area.setOwner("d", uid: Self.user, gid: nil)
            try asUser(Self.user) { for name in ["f", "d/g"] { _ = try area.open(name) } }
        }
    }

    // Access control lists in the kernel's form: version 2, then (tag, permissions, id) of each entry.

    static func list(_ entries: [(tag: UInt16, permissions: UInt16, id: UInt32)]) -> [UInt8] {
        var bytes: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            for number in [entry.tag, entry.permissions] { bytes += [UInt8(number & 255), UInt8(number >> 8)] }
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: entry.id >> ($0 * 8)) }
        }
        return bytes
    }

    /// u::rw-, u:USER:rw-, g::---, m::rw-, o::---
    private static let userMayWrite = list([
        (1, 6, .max), (2, 6, user), (4, 0, .max), (0x10, 6, .max), (0x20, 0, .max),
    ])

    @Test(
        "an access control list lets a user in, survives a copy-up, and shows in the mode", arguments: Subject.allCases)
    func accessControlList(on subject: Subject) throws {
        let name = "system.posix_acl_access"
        try subject.run(given: {
            try $0.file("f", "text", mode: 0o600)
            try $0.root.setAttribute(name, of: "f", Self.userMayWrite)
        }) { area throws in
            #expect(try area.status("f").permissions == 0o660)
            try asUser(Self.user) { _ = try area.open("f") }
            asUser(Self.other) { expectError(.EACCES) { _ = try area.open("f") } }
            try asUser(Self.user) { try area.append("f", "!") }
            #expect(try area.root.attribute(name, of: "f") == Self.userMayWrite)
            #expect(try area.text("f") == "text!")
            try area.setMode("f", 0o600)
            asUser(Self.user) { expectError(.EACCES) { _ = try area.open("f") } }
            try area.open("f").removeAttribute(name)
            #expect(try area.root.attribute(name, of: "f") == nil)
        }
    }

    @Test("setting an access control list changes the mode", arguments: Subject.allCases)
    func setAccessControlList(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "text", mode: 0o600) }) { area throws in
            asUser(Self.user) { expectError(.EACCES) { _ = try area.open("f") } }
            try area.root.setAttribute("system.posix_acl_access", of: "f", Self.userMayWrite)
            #expect(try area.status("f").permissions == 0o660)
            try asUser(Self.user) { _ = try area.open("f", .readWrite) }
            expectError(.EINVAL) { try area.root.setAttribute("system.posix_acl_access", of: "f", [9, 9]) }
        }
    }

    @Test("a default access control list passes to new files instead of the umask", arguments: Subject.allCases)
    func defaultList(on subject: Subject) throws {
        let name = "system.posix_acl_default"
        // u::rwx, u:USER:rwx, g::r-x, m::rwx, o::---
        let inherited = Self.list([
            (1, 7, .max), (2, 7, Self.user), (4, 5, .max), (0x10, 7, .max), (0x20, 0, .max),
        ])
        try subject.run(given: {
            try $0.directory("d")
            try $0.root.setAttribute(name, of: "d", inherited)
        }) { area throws in
            try withMask(0o077) {
                _ = try area.open("d/f", [.writeOnly, .create], mode: 0o666)
                try area.root.makeDirectory("d/e", mode: 0o777)
            }
            #expect(try area.status("d/f").permissions == 0o660)
            #expect(try area.status("d/e").permissions == 0o770)
            #expect(try area.root.attribute(name, of: "d/e") == inherited)
            #expect(try area.root.attribute(name, of: "d/f") == nil)
            try asUser(Self.user) { try area.file("d/e/theirs") }
        }
    }
}
