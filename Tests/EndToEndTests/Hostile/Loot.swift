import TestSupport
import Testing

/// A file of the host that nothing in an image may lead to, an image whose programs can set any attribute, and the names
/// of overlays' notes that would lead to the file.
struct Loot {
    let strata: Strata
    /// A directory of the host with `file` and `sub/deep`.
    let secret: String
    /// What the host's files hold.
    static let canary = "canary-5e20b8"

    /// Makes the host's files and an image `marker` with `/bin/mark NAME VALUE FILE`, which sets an attribute.
    init(_ strata: Strata) throws {
        self.strata = strata
        secret = try strata.directory("secret")
        try Program.shell(
            """
            cd '\(secret)'; mkdir sub; echo \(Self.canary) > file; echo \(Self.canary) > sub/deep; chmod 700 .
            mkdir '\(strata.scratch)/marker'; cd '\(strata.scratch)/marker'
            cat > mark.c <<'END'
            #include <stdio.h>
            #include <string.h>
            #include <sys/xattr.h>
            int main(int count, char **words) {
                if (count != 4) return 2;
                if (lsetxattr(words[3], words[1], words[2], strlen(words[2]), 0)) { perror(words[1]); return 1; }
                return 0;
            }
            END
            gcc -static -o mark mark.c
            printf 'FROM busybox\\nCOPY mark /bin/mark\\nRUN mkdir /lower; echo kept > /lower/file; chmod 1777 /lower\\n' > Dockerfile
            """)
        try strata("build", "-q", "-t", "marker", "\(strata.scratch)/marker")
    }

    /// The way from any directory up to the root and down to the host's files.
    var upwards: String { String(repeating: "../", count: 14) + secret.dropFirst() }

    /// Scripts that put a mark on something in `/tmp/loot`; `$S` is the secret directory, `$U` the way up to it.
    static let scripts = [
        "mark user.overlay.redirect $U .", "mark user.overlay.redirect $S .",
        "touch file; mark user.overlay.metacopy '' file; mark user.overlay.redirect $S/file file",
        "touch file; mark user.overlay.metacopy '' file; mark user.overlay.redirect $U/file file",
        "touch file; mark user.overlay.metacopy '' file; mark user.overlay.origin crafted-handle-crafted-handle file",
        "mkdir x; mark user.overlay.redirect .. x; mark user.fuseoverlayfs.redirect $S x",
    ]

    /// A script with the words of this run in their places.
    func filled(_ script: String) -> String { "S=\(secret); U=\(upwards); mkdir /tmp/loot; cd /tmp/loot; \(script)" }

    /// Expects an image to hold nothing of the host's files, whichever way it leaves the store.
    func expectNothing(in image: String, location: SourceLocation = #_sourceLocation) throws {
        let seen = try strata(
            "run", "--rm", image, "sh", "-c", "find /tmp/loot; cat /tmp/loot/file /tmp/loot/sub/* 2>&1; true")
        #expect(!seen.contains(Self.canary) && !seen.contains("deep"), "\(seen)", sourceLocation: location)
        let saved = "\(strata.scratch)/saved.tar"
        try strata("save", "-o", saved, image)
        #expect(try Program.shell("grep -c \(Self.canary) '\(saved)' || true") == "0\n", sourceLocation: location)
        #expect(
            try Program.shell("grep -rl \(Self.canary) '\(strata.root)' || true") == "", sourceLocation: location)
    }
}
