import Linux
import TestSupport
import Testing

@testable import Runtime

/// The directory that lends mount points which an image lacks.
@Suite struct MountPointLayerTests {
    private func withLayers(_ body: (_ root: String, _ top: String, _ bottom: String) throws -> Void) throws {
        try withTemporaryDirectory { root in
            try makeDirectory("\(root)/top")
            try makeDirectory("\(root)/bottom")
            try body(root, "\(root)/top", "\(root)/bottom")
        }
    }

    @Test func lendsOnlyWhatIsMissingAndLooksLikeTheImage() throws {
        try withLayers { root, top, bottom in
            try makeDirectory("\(bottom)/etc")
            try write("x", to: "\(bottom)/etc/hosts")
            let etc = try FileDescriptor.open("\(bottom)/etc", .directory)
            try etc.setMode(0o751)
            try etc.setOwner(uid: 7, gid: 8)
            try etc.setTimes(access: TimeSpec(seconds: 11), modification: TimeSpec(seconds: 12))
            let made = try MountPointLayer.make(
                at: "\(root)/lent", under: [top, bottom], marks: .trusted,
                places: [
                    .init(path: "/etc/hosts", isDirectory: false), .init(path: "/etc/hostname", isDirectory: false),
                    .init(path: "/srv/deep/dir", isDirectory: true),
                ])
            #expect(made)
            #expect(try FileDescriptor.currentDirectory.statusIfPresent(of: "\(root)/lent/etc/hosts") == nil)
            #expect(try FileDescriptor.currentDirectory.status(of: "\(root)/lent/etc/hostname").isRegular)
            #expect(try FileDescriptor.currentDirectory.status(of: "\(root)/lent/srv/deep/dir").isDirectory)
            let status = try FileDescriptor.currentDirectory.status(of: "\(root)/lent/etc")
            #expect(status.permissions == 0o751)
            #expect((status.uid, status.gid) == (7, 8))
            #expect(status.modificationTime == TimeSpec(seconds: 12))
        }
    }

    @Test func lendsNothingWhenNothingIsMissing() throws {
        try withLayers { root, top, bottom in
            try makeDirectory("\(bottom)/proc")
            let made = try MountPointLayer.make(
                at: "\(root)/lent", under: [top, bottom], marks: .trusted,
                places: [.init(path: "/proc", isDirectory: true)])
            #expect(!made)
            #expect(try FileDescriptor.currentDirectory.statusIfPresent(of: "\(root)/lent") == nil)
        }
    }
}
