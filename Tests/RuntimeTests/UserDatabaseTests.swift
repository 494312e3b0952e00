import OCI
import Testing

@testable import Runtime

@Suite struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: [
            "root:x:0:0:root:/root:/bin/sh", "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
            "app:x:1000:1001::/home/app:/bin/sh", "broken:x:notanumber:1::/:", "homeless:x:44:44:::",
        ],
        group: [
            "root:x:0:", "www-data:x:33:", "app:x:1001:", "adm:x:4:app,root", "audio:x:29:app", "short:x",
            "1002:x:7777:",
        ])

    @Test(
        arguments: [
            ("", 0, 0, [0, 4], "/root"),
            ("root", 0, 0, [0, 4], "/root"),
            ("app", 1000, 1001, [1001, 4, 29], "/home/app"),
            ("1000", 1000, 1001, [1001, 4, 29], "/home/app"),
            ("app:www-data", 1000, 33, [33], "/home/app"),
            ("app:12345", 1000, 12345, [12345], "/home/app"),
            ("4321", 4321, 0, [0], "/"),
            ("4321:audio", 4321, 29, [29], "/"),
            ("app:", 1000, 1001, [1001, 4, 29], "/home/app"),
            (":adm", 0, 4, [4], "/root"),
            ("root:1002", 0, 7777, [7777], "/root"),
            ("homeless", 44, 44, [44], "/"),
        ] as [(String, UInt32, UInt32, [UInt32], String)])
    func resolves(_ text: String, _ uid: UInt32, _ gid: UInt32, _ groups: [UInt32], _ home: String) throws {
        let identity = try database.identity(for: text)
        #expect(identity == .init(uid: uid, gid: gid, additionalGids: groups, home: home))
    }

    @Test(arguments: ["nobody", "broken", "app:nogroup", "-1", "4294967295", "99999999999"])
    func refuses(_ text: String) {
        let error = #expect(throws: RuntimeError.self) { try database.identity(for: text) }
        #expect(error?.code == .noSuchUser)
    }

    @Test func readsTheFilesOfAnImageAndNoOthers() throws {
        try withTemporaryDirectory { root in
            try makeDirectory("\(root)/etc")
            // A link out of the image must not show the host's users.
            try makeLink("\(root)/etc/passwd", to: "/etc/passwd")
            try write("ours:x:5:", to: "\(root)/etc/group")
            let database = UserDatabase(root: root)
            #expect(throws: RuntimeError.self) { try database.identity(for: "root:nosuch") }
            #expect(try database.identity(for: "7:ours").gid == 5)
            #expect(throws: RuntimeError.self) { try database.identity(for: "daemon") }
        }
    }

    @Test("An image without users has root, by its name")
    func rootNeedsNoFiles() throws {
        let database = UserDatabase(passwd: [], group: [])
        #expect(try database.identity(for: "root:root") == database.identity(for: "0:0"))
        #expect(try database.gid("root") == 0)
        #expect(throws: RuntimeError.self) { try database.gid("daemon") }
        let other = UserDatabase(passwd: ["toor:x:0:0::/:"], group: ["wheel:x:0:"])
        #expect(throws: RuntimeError.self) { try other.identity(for: "root") }
        #expect(throws: RuntimeError.self) { try other.gid("root") }
    }
}
