import ImageStore
import Linux
import OCI
import Testing

/// The store is nobody else's.
@Suite struct StoreDirectoryTests {
    /// Modes of everything but what lies in layers.
    private func modes(_ test: TemporaryStore) throws -> [String: String] {
        let lines = try shell("find . -maxdepth 1 -printf '%P %m\\n'", in: test.directory + "/store")
        return Dictionary(
            uniqueKeysWithValues: lines.split(separator: "\n").map { line in
                let parts = line.split(separator: " ", omittingEmptySubsequences: false)
                return (String(parts[0]), String(parts[1]))
            })
    }

    @Test func directoriesAreTheOwnersAlone() throws {
        let test = try TemporaryStore()
        let modes = try modes(test)
        for name in ["", "blobs", "layers", "containers", "tmp"] { #expect(modes[name] == "700") }
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] { #expect(modes[name] == "600") }
        #expect(throws: StoreError.self) { try ImageStore(root: "/dev/null/store") }
        #expect(throws: StoreError.self) { try ImageStore(root: "") }
    }

    @Test func whatWasOpenedIsClosedAgain() throws {
        let test = try TemporaryStore()
        let image = try test.image("kept", tags: ["kept"])
        try shell("chmod 0777 . blobs layers containers tmp; chmod 0666 catalog.sqlite*", in: test.directory + "/store")
        let before = try shell("stat -c '%a' store/layers/*/fs", in: test.directory)
        let store = try test.reopened()
        for (name, mode) in try modes(test) {
            #expect(mode == (name.hasPrefix("catalog") ? "600" : "700"), "\(name)")
        }
        #expect(try store.images().map(\.id) == [image.id])
        #expect(try shell("stat -c '%a' store/layers/*/fs", in: test.directory) == before)
        #expect(before == "755\n")
    }

    /// SQLite takes the mode of the files beside the catalog from the catalog's.
    @Test func theCatalogsFilesAreMadeClosed() throws {
        let test = try TemporaryStore()
        // Closed again at once.
        _ = try ImageStore(root: test.directory + "/other")
        try shell("rm other/catalog.sqlite-*; chmod 0644 other/catalog.sqlite", in: test.directory)
        let other = try ImageStore(root: test.directory + "/other")
        #expect(try shell("stat -c %a other/catalog.sqlite*", in: test.directory) == "600\n600\n600\n")
        try other.releaseLeases()
    }

    @Test(arguments: [".", "containers", "catalog.sqlite"])
    func whatIsAnothersIsRefused(_ name: String) throws {
        let test = try TemporaryStore()
        try shell("chown 65534 store/\(name)", in: test.directory)
        let error = #expect(throws: StoreError.self) { try test.reopened() }
        #expect(error?.code == .notPermitted)
        #expect(error?.message.contains("another user (65534)") == true)
        #expect(error?.remedy != nil)
    }

    @Test func aCatalogThatIsALinkIsRefused() throws {
        let test = try TemporaryStore()
        try shell("mv store/catalog.sqlite elsewhere; ln -s ../elsewhere store/catalog.sqlite", in: test.directory)
        let error = #expect(throws: StoreError.self) { try test.reopened() }
        #expect(error?.code == .corrupt)
    }

    @Test func aDirectoryThatIsForSomethingElseIsNotClosed() throws {
        let test = try TemporaryStore()
        try shell(
            """
            mkdir busy fresh disk sticky; touch busy/work; mkdir disk/lost+found; chmod 755 busy fresh disk; chmod 1777 sticky
            """, in: test.directory)
        for name in ["busy", "sticky"] {
            let error = #expect(throws: StoreError.self) { try ImageStore(root: "\(test.directory)/\(name)") }
            #expect(error?.code == .notPermitted)
            #expect(error?.remedy != nil)
        }
        for name in ["fresh", "disk"] { _ = try ImageStore(root: "\(test.directory)/\(name)") }
        #expect(
            try shell("stat -c %a busy sticky fresh disk; ls -A busy sticky", in: test.directory)
                == "755\n1777\n700\n700\nbusy:\nwork\n\nsticky:\n")
        // One that only its owner may enter is his to choose.
        try shell("chmod 700 busy", in: test.directory)
        _ = try ImageStore(root: test.directory + "/busy")
    }

    /// The mount table has no symbolic links in its paths, and neither have the paths of mounts that are compared with it.
    @Test func aStoreHasOneNameHoweverItIsReached() throws {
        let test = try TemporaryStore()
        try shell("ln -s store link", in: test.directory)
        for name in ["link", "link/", "./store//", "store"] {
            #expect(try ImageStore(root: "\(test.directory)/\(name)").root == test.directory + "/store")
        }
    }
}
