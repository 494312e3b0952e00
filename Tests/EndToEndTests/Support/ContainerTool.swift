import Glibc
import Linux
import Testing

/// Podman or Buildah with a store of its own, on the kernel's overlay or on a mount program. Nothing of the machine's
/// own configuration counts.
struct ContainerTool {
    enum Name: String, CaseIterable, Sendable {
        case buildah, podman
    }

    let name: Name
    /// Where its store and its configuration are.
    let home: String

    /// Writes the configuration.
    ///
    /// - Parameter overlay: lines for storage.conf: the program that mounts images or, without one, options of the
    ///   kernel's overlay.
    init(_ name: Name, home: String, overlay: String) throws {
        self.name = name
        self.home = home
        try Program.shell(
            """
            mkdir -p '\(home)'; cd '\(home)'
            cat >containers.conf <<'END'
            [containers]
            default_ulimits=[]
            netns="host"
            [engine]
            runtime="runc"
            cgroup_manager="cgroupfs"
            events_logger="none"
            END
            cat >storage.conf <<END
            [storage]
            driver="overlay"
            graphroot="$PWD/graph"
            runroot="$PWD/run"
            [storage.options.overlay]
            \(overlay)
            END
            echo '{"default":[{"type":"insecureAcceptAnything"}]}' >policy.json
            """)
    }

    /// Runs a script in which `tool` is the program; it must succeed. Returns what it printed.
    @discardableResult
    func shell(_ script: String, seconds: Int64 = 300) throws -> String {
        try Program.shell(
            """
            cd '\(home)'
            export CONTAINERS_CONF=$PWD/containers.conf CONTAINERS_STORAGE_CONF=$PWD/storage.conf BUILDAH_RUNTIME=runc
            tool() { command \(name.rawValue) "$@"; }
            build() { # TAG CONTEXT
                tool build --signature-policy policy.json --layers --pull-never --network host --isolation oci \\
                    -t "localhost/$1" "$2" 2>&1
            }
            \(script)
            """, seconds: seconds)
    }

    /// Runs a script of sh in a new container of an image, on the host's network; returns what it printed.
    func run(_ image: String, script: String) throws -> String {
        try shell(
            """
            script=$(cat <<'END'
            \(script)
            END
            )
            image=localhost/\(image)
            if [ \(name.rawValue) = podman ]; then
                tool run --rm --network host $image sh -c "$script"
            else
                container=$(tool from --signature-policy policy.json --pull-never $image)
                tool run $container -- sh -c "$script"
                tool rm $container >/dev/null
            fi
            """)
    }

    /// Makes an image of an archive of a root file system.
    func load(archive: String, as image: String) throws {
        try shell(
            """
            mkdir -p base/blobs/sha256
            add() { # FILE: puts it among the blobs and prints digest and size
                local digest; digest=$(sha256sum "$1" | cut -d' ' -f1)
                cp --reflink=auto "$1" base/blobs/sha256/$digest
                printf '"digest":"sha256:%s","size":%d' $digest $(stat -Lc %s "$1")
            }
            layer=$(add '\(archive)')
            diff=${layer#\\"digest\\":}; diff=${diff%,*}
            printf '{"architecture":"%s","os":"linux","config":{"Cmd":["sh"],"Env":["PATH=%s"]},"rootfs":%s,"history":[{}]}' \\
                $(dpkg --print-architecture) /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
                "{\\"type\\":\\"layers\\",\\"diff_ids\\":[$diff]}" >config.json
            type=application/vnd.oci.image
            printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s",%s},"layers":[{"mediaType":"%s",%s}]}' \\
                $type.manifest.v1+json $type.config.v1+json "$(add config.json)" $type.layer.v1.tar "$layer" >manifest.json
            printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s",%s,"annotations":{"%s":"%s"}}]}' \\
                $type.manifest.v1+json "$(add manifest.json)" org.opencontainers.image.ref.name '\(image)' >base/index.json
            echo '{"imageLayoutVersion":"1.0.0"}' >base/oci-layout
            id=$(tool pull -q --signature-policy policy.json 'oci:base:\(image)')
            tool tag "$id" '\(image)'
            rm -r base config.json manifest.json
            """)
    }

    /// Calls `body` with the path of an image's file system, as the tool itself mounts it.
    func withMounted<Result>(_ image: String, _ body: (String) throws -> Result) throws -> Result {
        let mount =
            name == .podman
            ? "tool image mount localhost/\(image) >mounted"
            : "tool from --signature-policy policy.json --pull-never --name look localhost/\(image) >/dev/null; tool mount look >mounted"
        try shell(mount)
        let path = try Program.shell("cat '\(home)/mounted'").split(separator: "\n").last.map(String.init) ?? ""
        defer {
            let unmount = name == .podman ? "tool image unmount localhost/\(image)" : "tool rm look"
            _ = try? shell(unmount + " >/dev/null")
        }
        return try body(path)
    }

    /// The layers of an image from the base upwards, as they lie in their archives: a line for each entry, sorted, with
    /// type, mode, owners, size, device, extended attributes, time and the target of a link.
    ///
    /// - Parameter recent: modification times from this second on all count as the same.
    func layers(of image: String, recent: Int64) throws -> [[String]] {
        let listing = try shell(
            """
            rm -rf pushed
            tool push -q --signature-policy policy.json --remove-signatures localhost/\(image) oci:$PWD/pushed:image >&2
            python3 - <<'END'
            import json, tarfile
            def blob(descriptor): return 'pushed/blobs/' + descriptor['digest'].replace(':', '/')
            index = json.load(open('pushed/index.json'))
            for layer in json.load(open(blob(index['manifests'][0])))['layers']:
                print('layer')
                lines = []
                for entry in tarfile.open(blob(layer)):
                    time = 'recent' if entry.mtime >= \(recent) else entry.mtime
                    headers = {k: v for k, v in entry.pax_headers.items() if k.startswith('SCHILY.xattr.')}
                    lines.append(ascii((entry.name, entry.type, oct(entry.mode), entry.uid, entry.gid, entry.size,
                                        entry.devmajor, entry.devminor, entry.linkname, time, headers)))
                print('\\n'.join(sorted(lines)))
            END
            rm -r pushed
            """)
        var layers: [[String]] = []
        for line in listing.split(separator: "\n") {
            if line == "layer" {
                layers.append([])
            } else if !layers.isEmpty {
                layers[layers.count - 1].append(String(line))
            }
        }
        return layers
    }

    /// Removes containers and mounts; the files are the caller's.
    func end() {
        _ = try? shell(
            "tool rm -fa >/dev/null 2>&1 || tool rm -a >/dev/null 2>&1 || true; umount -l graph/overlay || true")
    }
}
