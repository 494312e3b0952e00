import Glibc
import Linux
import Synchronization
import Testing

/// A Debian root file system as a directory, with the archives of some packages in apt's cache, so that installing them
/// needs no network. Made once for all tests, and removed when they end.
enum DebianTree {
    private static let made = Mutex<String?>(nil)

    /// What is installed: programs, libraries, scripts with triggers, many links; and packages of the base again,
    /// whose files, hard links among them, lie in the lower layer.
    static let packages = ["ca-certificates", "less"]
    static let reinstalled = ["perl-base", "gzip"]

    /// The directory's path.
    static func path() throws -> String {
        try made.withLock { made in
            if let made { return made }
            let path = "/var/tmp/strata-test-debian-\(getpid())"
            made = path
            atexit { DebianTree.remove() }
            try HostScript.run(
                """
                archive=${STRATA_TEST_DEBIAN:-$(\(tools())/bases --archive)}
                mkdir \(path); cd \(path)
                tar --numeric-owner --xattrs --xattrs-include='*' -xpf "$archive"
                cp /etc/resolv.conf etc/resolv.conf
                printf '#!/bin/sh\\nexit 101\\n' > usr/sbin/policy-rc.d; chmod 755 usr/sbin/policy-rc.d
                \(inside(
                    """
                    apt-get update -qq
                    get="apt-get install -qq -y --no-install-recommends --download-only"
                    $get \(packages.joined(separator: " "))
                    $get --reinstall \(reinstalled.joined(separator: " "))
                    find /var/lib/apt/lists /var/cache/apt -maxdepth 1 -type f -delete
                    """))
                """, in: "/", seconds: 300)
            return path
        }
    }

    /// A command that runs a script inside the root file system that is the working directory. There is no `/proc`, and
    /// no `/dev` but what the archive holds.
    ///
    /// - Parameter script: without single quotes.
    static func inside(_ script: String) -> String {
        "chroot . env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec '\(script)'"
    }

    private static func tools() -> String {
        "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/tools"
    }

    private static func remove() {
        made.withLock { path in
            if let path { try? FileDescriptor.currentDirectory.removeTree(path) }
        }
    }
}
