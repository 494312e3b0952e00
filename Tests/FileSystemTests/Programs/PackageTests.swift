import Glibc
import Linux
import TestSupport
import Testing

/// Debian's package manager, which renames, links and syncs each file it unpacks, and knows what it has installed.
@Suite struct PackageTests {
    private static let install = DebianTree.inside("apt-get install -y --reinstall /var/cache/apt/archives/*.deb")

    /// Points at which servers are killed: how many lines dpkg has logged by then. `STRATA_TEST_KILLS` is their number,
    /// `STRATA_TEST_SEED` chooses others.
    static let killPoints: [Int] = {
        func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
        var random = Randomness(seed: UInt64(number("STRATA_TEST_SEED") ?? 1))
        return (0..<(number("STRATA_TEST_KILLS") ?? 2)).map { _ in random.below(55) + 2 }
    }()

    /// Expects dpkg to have no complaints about its own database or any file it installed.
    private func expectClean(_ root: String, _ when: String) throws {
        let complaints = try HostScript.run(DebianTree.inside("dpkg --audit; dpkg --verify || true"), in: root)
        #expect(complaints == "", "\(when)")
    }

    /// Starts the installation, and kills the server when dpkg has logged so many lines. Returns whether it was under
    /// way.
    private func killDuringInstall(_ union: MountedUnion, after lines: Int) throws -> Bool {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let installer = try ChildProcess.spawn(
            "timeout", arguments: ["timeout", "-s", "KILL", "120", "bash", "-c", Self.install],
            directory: union.target, descriptors: [null.rawValue, null.rawValue, null.rawValue], newSession: true)
        // The log is new, so it is in the upper directory.
        let log = (union.upper ?? "").appending("var/log/dpkg.log")
        var isRunning = true
        for _ in 0..<60_000 {
            let written = (try? FileDescriptor.open(log).readAll()) ?? []
            if written.count(where: { $0 == UInt8(ascii: "\n") }) >= lines { break }
            isRunning = try installer.poll() == nil
            if !isRunning { break }
            usleep(1000)
        }
        try union.killServer()
        if isRunning { _ = try installer.wait() }
        return isRunning
    }

    /// The kernel's overlay of the same directories, as they are now, shows the same.
    private func expectReadableByKernel(_ union: MountedUnion) throws {
        let shown = try TreeSnapshot(of: union.target)
        #expect(shown.directoryFaults == [])
        try withScratch { scratch in
            let layers = ([union.upper].compactMap { $0 } + union.lower).joined(separator: ":")
            try Mount.mount(
                source: "overlay", target: scratch, type: "overlay",
                options: "ro,lowerdir=\(layers),redirect_dir=follow,metacopy=on")
            defer { try? Mount.unmount(scratch, flags: [.detach, .noFollow]) }
            let differences = shown.differences(to: try TreeSnapshot(of: scratch), links: false)
            #expect(differences.prefix(10) == [], "here != read by the kernel's overlay")
        }
    }

    @Test("an installation goes on after the server was killed in the middle", arguments: killPoints)
    func killedServer(lines: Int) throws {
        let lower = try DebianTree.path()
        let before = try TreeSnapshot(of: lower, changeTimes: true)
        try withUnion(below: [lower]) { union throws in
            try expectClean(union.target, "the base")
            #expect(try killDuringInstall(union, after: lines), "the installation was over before line \(lines)")
            try union.mount()
            try expectReadableByKernel(union)
            let goOn = """
                dpkg --force-confold --configure -a || true
                apt-get install -f -y --reinstall /var/cache/apt/archives/*.deb
                """
            try HostScript.run(DebianTree.inside(goOn), in: union.target, seconds: 120)
            try expectClean(union.target, "after a kill at line \(lines)")
            // Not only what dpkg has noted: the programs run.
            let versions = try HostScript.run(
                DebianTree.inside(
                    """
                    less --version | head -1; openssl version; perl -e "print 6*7"
                    test -s /etc/ssl/certs/ca-certificates.crt
                    test /usr/bin/perl -ef /usr/bin/$(perl -e "printf q(perl%vd), \\$^V")
                    """), in: union.target)
            #expect(versions.contains("less ") && versions.contains("OpenSSL") && versions.contains("42"))
            try union.remount()
            try expectClean(union.target, "after a new mount")
        }
        #expect(before.differences(to: try TreeSnapshot(of: lower, changeTimes: true)) == [])
    }
}
