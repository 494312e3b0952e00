import Linux
import Testing

@testable import UnionFS

/// Which lower files the kernel reads by itself.
@Suite struct PageCacheTests {
    /// Whether a file is read through the mount's page cache.
    private func isCached(
        _ path: String, bytes: Int64 = 100_000, mode: UInt32 = 0o644, shared: SharedDirectories = .standard
    ) throws -> Bool {
        let sandbox = try Sandbox()
        for directory in ["usr", "usr/lib", "usr/lib/deep", "lib64", "var", "var/lib", "opt", "models"] {
            try FileDescriptor.currentDirectory.makeDirectory("\(sandbox.path)/a/\(directory)", mode: 0o755)
        }
        var configuration = sandbox.configuration(["a"])
        configuration.sharedDirectories = shared
        let union = try Union(configuration)
        let names = path.split(separator: "/").dropLast().joined(separator: "/")
        let directory = names.isEmpty ? union.table.root : try union.find(names)
        var status = FileStatus()
        (status.size, status.mode) = (bytes, FileType.regular.rawValue | mode)
        return try union.tree.read { union.caching(of: status, in: directory).contains(.cached) }
    }

    @Test func `large files where programs are kept are the kernel's`() throws {
        for path in ["usr/x", "usr/lib/deep/x", "lib64/x", "opt/x"] { #expect(try !isCached(path), "\(path)") }
        for path in ["x", "var/lib/x", "models/x"] { #expect(try isCached(path), "\(path)") }
    }

    @Test func `an executable file is the kernel's anywhere, a small one nowhere`() throws {
        #expect(try !isCached("var/lib/x", mode: 0o755))
        #expect(try !isCached("x", mode: 0o100))
        #expect(try isCached("usr/x", bytes: 65536, mode: 0o755))
        #expect(try !isCached("usr/x", bytes: 65537))
    }

    @Test func `directories are named by the option`() throws {
        let chosen = SharedDirectories(["models", "va*"])
        #expect(try isCached("usr/x", shared: chosen))
        #expect(try !isCached("models/x", shared: chosen))
        #expect(try !isCached("var/lib/x", shared: chosen))
        for path in ["x", "models/x"] { #expect(try !isCached(path, shared: SharedDirectories(["/"]))) }
    }
}
