import ImageStore
import Linux
import OCI
import Testing

@testable import Runtime

/// Steps of a build: what ends up in the layer, and what does not.
@Suite(.serialized) struct BuildMountTests {
    private func run(_ mount: BuildMount, _ script: String, user: String = "") throws -> (Int32, String) {
        var output: [UInt8] = []
        let status = try mount.run(
            BuildCommand(
                arguments: ["/bin/sh", "-c", script], environment: ["PATH=/bin", "BUILT=yes"], user: user)
        ) { _, bytes in output += bytes }
        return (status, String(decoding: output, as: UTF8.self))
    }

    /// Names below a layer, sorted, with the kinds of files that are neither directory nor regular file.
    private func names(_ fixture: Fixture, _ layer: PendingLayer) throws -> [String] {
        try onHost("cd \(layer.path) && find . -mindepth 1 | sort").split(separator: "\n").map(String.init)
    }

    @Test func aCommandThatWritesNothingMakesAnEmptyLayer() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            let (status, output) = try run(
                mount, "cat /etc/resolv.conf > /dev/null && ls /proc/self > /dev/null && id -u")
            #expect(status == 0)
            #expect(output == "0\n")
            let layer = try mount.commit()
            #expect(try names(fixture, layer) == [])
            _ = try layer.finish()
            #expect(fixture.mounts.isEmpty)
            #expect(try fixture.store.containers(includingBuilds: true).isEmpty)
        }
    }

    @Test func onlyWhatTheCommandWroteIsInTheLayer() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            let script = "echo $BUILT > /etc/own; mkdir /srv; rm -r /data; echo more >> /etc/group; id -u"
            let (status, output) = try run(mount, script, user: "root")
            #expect(status == 0)
            #expect(output == "0\n")
            let layer = try mount.commit()
            #expect(try names(fixture, layer) == ["./data", "./etc", "./etc/group", "./etc/own", "./srv"])
            let record = try layer.finish()
            #expect(try FileDescriptor.currentDirectory.status(of: "\(layer.path)/data").isWhiteout)

            // The next step stands on it.
            let next = try BuildMount(fixture.context, layers: fixture.image.layerIDs + [record.id])
            #expect(try run(next, "cat /etc/own; ls /data").1.hasPrefix("yes\n"))
            next.discard()
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test(
        "What a step changes of a directory that was lent to it is in the layer",
        arguments: [
            ("chmod 700 /srv", "700 0:0"), ("chown 5:6 /srv", "755 5:6"), ("touch /srv/x", "755 0:0"),
            ("mkdir /srv/x", "755 0:0"), ("touch -d @1000 /srv", "755 0:0"),
        ])
    func lentDirectories(_ script: String, _ status: String) throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(
                fixture.context, layers: fixture.image.layerIDs,
                mountPoints: [BuildMountPoint(path: "/srv/inner", isDirectory: true)])
            #expect(try run(mount, "/bin/busybox \(script)").0 == 0)
            let layer = try mount.commit()
            #expect(try onHost("cd \(layer.path) && stat -c '%a %u:%g' srv") == status + "\n")
            #expect(try onHost("cd \(layer.path) && ls srv") == (script.hasSuffix("/x") ? "x\n" : ""))
            _ = try layer.finish()
        }
    }

    @Test func theLayerHoldsTheDataOfFilesWhoseAttributesChanged() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs, purpose: .files)
            try onHost(
                """
                set -e; cd \(mount.rootfs); chmod 700 bin/busybox; mv bin/busybox bin/moved; ln bin/moved bin/linked
                chown 5:6 etc/group
                """
            )
            for name in ["bin/moved", "bin/linked", "etc/group"] {
                try onHost("getfattr -n trusted.overlay.metacopy \(mount.upper)/\(name)")
            }
            let layer = try mount.commit()
            let below = try fixture.store.layerPath(#require(fixture.image.layerIDs.first))
            try onHost(
                "cmp \(below)/bin/busybox \(layer.path)/bin/moved && cmp \(below)/etc/group \(layer.path)/etc/group")
            try onHost("test \(layer.path)/bin/moved -ef \(layer.path)/bin/linked")
            #expect(try onHost("cd \(layer.path) && getfattr -R -h -d -m overlay bin/moved etc/group") == "")
            _ = try layer.finish()
        }
    }

    @Test func aFailingCommandGivesItsStatusAndItsOutput() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            let (status, output) = try run(mount, "echo before; exit 42")
            #expect((status, output) == (42, "before\n"))
            let missing = #expect(throws: RuntimeError.self) {
                try mount.run(BuildCommand(arguments: ["/no/such"])) { _, _ in }
            }
            #expect(missing?.code == .commandNotFound)
            // The mount stands both.
            #expect(try run(mount, "true").0 == 0)
            mount.discard()
            #expect(try fixture.store.containers(includingBuilds: true).isEmpty)
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test func aKeptStepIsAContainer() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(
                fixture.context, layers: fixture.image.layerIDs, imageID: fixture.image.id)
            _ = try run(mount, "echo traces > /traces; exit 5")
            let kept = try mount.keep(exitCode: 5)
            #expect(fixture.mounts.isEmpty)
            let listed = try fixture.engine.containers()
            #expect(listed.map(\.id) == [kept.id])
            #expect(listed.first?.state == .exited)
            #expect(listed.first?.exitCode == 5)
            let changes = try fixture.engine.diff(kept.id)
            #expect(changes.contains { $0.kind == .added && $0.path == "/traces" })
        }
    }

    @Test func filesAreSeenAsTheLayersHaveThem() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs, purpose: .files)
            #expect(try onHost("ls \(mount.rootfs)") == "bin\ndata\netc\n")
            try write("x", to: "\(mount.rootfs)/etc/hosts")
            let layer = try mount.commit()
            #expect(try names(fixture, layer) == ["./etc", "./etc/hosts"])
            _ = try layer.finish()
        }
    }

    @Test func aStageFromScratchStartsEmpty() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: [], purpose: .files)
            #expect(try onHost("ls -A \(mount.rootfs)") == "")
            try onHost("mkdir \(mount.rootfs)/bin && cp /bin/busybox \(mount.rootfs)/bin/sh")
            let layer = try mount.commit()
            let record = try layer.finish()
            let next = try BuildMount(fixture.context, layers: [record.id])
            #expect(try run(next, "echo from scratch").1 == "from scratch\n")
            let second = try next.commit()
            #expect(try names(fixture, second) == [])
            _ = try second.finish()
        }
    }

    @Test func cancellingEndsTheCommand() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            let cancellation = try Cancellation()
            let status = try mount.run(
                BuildCommand(arguments: ["/bin/sh", "-c", "echo started; exec sleep 1000"]), cancellation: cancellation
            ) { _, _ in cancellation.cancel() }
            #expect(status == 137)
            #expect(cancellation.isCancelled)
            mount.discard()
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test func aBuildThatDiedIsCleanedUpAfter() throws {
        try Fixture.run { fixture in
            let mount = try BuildMount(fixture.context, layers: fixture.image.layerIDs)
            let lowers = fixture.store.lowerPaths(fixture.image.layerIDs)
            _ = try mount.mountStack(lowers, isWritable: true)
            _ = try mount.privateDirectory()
            #expect(fixture.mounts.count == 3)
            // As if the process that made it had died: its lock is free and its identity is nobody's.
            try fixture.store.updateContainer(mount.id) {
                $0.supervisor = ProcessIdentity(pid: 1, startTime: 12345)
            }
            mount.releaseLockForTesting()
            fixture.engine.reconcile()
            #expect(try fixture.store.containers(includingBuilds: true).isEmpty)
            #expect(fixture.mounts.isEmpty)
        }
    }

    @Test func aMountThatFailsLeavesNothing() throws {
        try Fixture.run { fixture in
            let broken = RuntimeContext(
                store: fixture.store, environment: .current(), helper: MountHelper(path: "/bin/false"))
            let error = #expect(throws: RuntimeError.self) {
                try BuildMount(broken, layers: fixture.image.layerIDs)
            }
            #expect(error?.code == .mountFailed)
            let left = try fixture.store.containers(includingBuilds: true)
            #expect(left.isEmpty)
            #expect(fixture.mounts.isEmpty)
        }
    }
}
