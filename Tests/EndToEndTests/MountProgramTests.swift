import Glibc
import Linux
import Testing

extension EndToEnd {
    /// `strata-fuse` in the place of fuse-overlayfs, under other tools.
    @Suite(.serialized) struct MountProgramTests {
        /// The mount server beside the program under test, or `STRATA_FUSE`.
        private static func server() throws -> String {
            if let path = getenv("STRATA_FUSE") { return String(cString: path) }
            return try Strata.binary() + "-fuse"
        }

        /// Buildah with a store of its own that mounts with `strata-fuse` builds a step with real packages.
        @Test func buildahBuildsWithPackages() throws {
            try Strata.test { strata in
                try Acceptance.makeBases(strata, "debian")
                // Buildah's own files, so that the machine's configuration does not count.
                let script = """
                    cd \(strata.scratch)
                    cat >containers.conf <<'END'
                    [containers]
                    default_ulimits=[]
                    netns="host"
                    [engine]
                    runtime="runc"
                    cgroup_manager="cgroupfs"
                    END
                    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >policy.json
                    export CONTAINERS_CONF=$PWD/containers.conf BUILDAH_RUNTIME=runc
                    tool() {
                        local name=$1; shift
                        buildah --root $PWD/buildah --runroot $PWD/run --storage-driver overlay \\
                            --storage-opt overlay.mount_program=\(try Self.server()) "$name" "$@"
                    }
                    trap 'tool rm -a >/dev/null 2>&1 || true; umount -l buildah/overlay 2>/dev/null || true' EXIT
                    mkdir base context
                    \(try Strata.binary()) --root \(strata.root) mount debian:bookworm base
                    container=$(tool from scratch)
                    tool copy "$container" base/ / >/dev/null
                    tool commit --signature-policy policy.json "$container" localhost/base >/dev/null 2>&1
                    \(try Strata.binary()) --root \(strata.root) umount base
                    cat >context/Dockerfile <<'END'
                    FROM localhost/base
                    RUN apt-get update && apt-get install -y --no-install-recommends jq
                    RUN mv /usr/share/doc /usr/share/documents && grep ' / fuse' /proc/mounts && jq --version
                    END
                    tool bud --signature-policy policy.json --layers --network host --isolation oci -t built context 2>&1
                    container=$(tool from --signature-policy policy.json localhost/built)
                    tool run "$container" sh -c 'test ! -e /usr/share/doc && ls /usr/share/documents/jq'
                    """
                let output = try Program.shell(script, seconds: 600)
                #expect(output.contains("fuse.strata-fuse"))
                #expect(output.contains("jq-1.6"))
                #expect(output.contains("copyright"))
            }
        }
    }
}
