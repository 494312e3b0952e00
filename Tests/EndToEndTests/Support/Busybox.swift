import Glibc
import Linux
import Synchronization

/// A root file system with nothing but busybox and its applets.
enum Busybox {
    private static let made = Mutex<String?>(nil)

    /// The path of its archive, made once for all tests and removed when they end.
    static func archive() throws -> String {
        try made.withLock { made in
            if let made { return made }
            let path = "/var/tmp/strata-e2e-busybox-\(getpid()).tar"
            try Program.shell(
                """
                tree=$(mktemp -d)
                trap 'rm -rf "$tree"' EXIT
                chmod 755 "$tree"
                mkdir -p "$tree"/{bin,dev,etc,proc,root,sys,tmp,data}
                chmod 1777 "$tree/tmp"
                cp "$(command -v busybox)" "$tree/bin/busybox"
                for applet in $("$tree/bin/busybox" --list); do
                    [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
                done
                printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1001::/home:/bin/sh\\n' >"$tree/etc/passwd"
                printf 'root:x:0:\\napp:x:1001:\\n' >"$tree/etc/group"
                echo 'from the image' >"$tree/data/file"
                tar --numeric-owner --owner=0 --group=0 -C "$tree" -cf '\(path)' .
                """)
            made = path
            atexit { Busybox.remove() }
            return path
        }
    }

    private static func remove() {
        made.withLock { if let path = $0 { unlink(path) } }
    }
}
