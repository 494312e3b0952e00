import ImageStore
import Linux
import OCI
import Runtime
import Testing

@testable import BuildEngine

/// Builds that do not end well, and what they leave.
@Suite struct FailureTests {
    @Test func aFailingCommandLeavesWhatWasBuilt() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let log = BuildFixture.Log()
            let dockerfile =
                "FROM busybox\nRUN echo good > /good\nRUN echo out; echo err >&2; echo bad > /bad; exit 7\n"
            let error = try fixture.failure(dockerfile, log: log)
            #expect(error.code == .commandFailed)
            #expect(error.exitStatus == 7)
            #expect(error.processStatus == 7)
            #expect(
                error.message
                    == "The command '/bin/sh -c echo out; echo err >&2; echo bad > /bad; exit 7' returned a non-zero code: 7"
            )
            #expect(error.place == "-:3")
            #expect(log.output.contains("out\n") && log.output.contains("err\n"))
            let left = try fixture.store.images().filter(\.isDangling)
            #expect(left.count == 1)
            let image = try #require(left.first)
            #expect(try fixture.text("/good", in: image) == "good\n")
            #expect(try fixture.text("/bad", in: image) == nil)
            _ = try fixture.failure(dockerfile)
            #expect(
                try fixture.store.images().filter(\.isDangling).count == 1, "the same failure leaves the same image")
            _ = try fixture.store.removeImage(image.id.short)
            #expect(try fixture.store.images().count == 1)
        }
    }

    @Test func aFailureInTheFirstStepLeavesNothing() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            #expect(try fixture.failure("FROM busybox\nRUN false\n").exitStatus == 1)
            #expect(try fixture.store.images().count == 1)
            #expect(try fixture.store.layers().count == 1)
        }
    }

    @Test func theContainerIsKeptOnRequest() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let error = try fixture.failure("FROM busybox\nRUN echo here > /trace; exit 3\n") {
                $0.removesFailedContainer = false
            }
            let containers = try fixture.store.containers()
            #expect(containers.count == 1)
            let kept = try #require(containers.first)
            #expect(kept.state == .exited && kept.exitCode == 3)
            #expect(error.description.contains(kept.name))
            let trace = try FileDescriptor.open(fixture.store.containerPaths(kept.id).upper + "/trace").readAll()
            #expect(String(decoding: trace, as: UTF8.self) == "here\n")
            try fixture.store.removeContainer(kept.id)
        }
    }

    @Test func commandsThatDoNotExist() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            #expect(try fixture.failure("FROM busybox\nRUN no-such-command\n").exitStatus == 127)
            #expect(try fixture.failure("FROM busybox\nRUN [\"/no/such\"]\n").exitStatus == 127)
            #expect(try fixture.failure("FROM busybox\nRUN [\"/data/file\"]\n").exitStatus == 126)
            #expect(try fixture.failure("FROM busybox\nUSER nobodyknows\nRUN true\n").code == .noSuchUser)
            #expect(try fixture.failure("FROM busybox\nRUN sleep 100 & kill -9 $!; wait $!\n").exitStatus == 137)
        }
    }

    @Test(arguments: [
        ("FROM busybox\nRUM true\n", BuildError.Code.dockerfile, "-:2:1"),
        ("RUN true\n", .dockerfile, "-:1"),
        ("", .dockerfile, "-"),
        ("FROM nosuch:image\n", .noSuchImage, "-:1"),
        ("FROM busybox\nCOPY --from=nosuch:image / /\n", .noSuchImage, "-:2"),
        ("FROM --platform=linux/s390x busybox\n", .noSuchImage, "-:1"),
        ("FROM busybox\nRUN --mount=type=secret,id=none,required true\n", .noSuchSecret, "-:2"),
        ("FROM busybox\nRUN --security=insecure true\n", .notAllowed, "-:2"),
        ("FROM busybox\nENV A=${B:?must be set}\n", .dockerfile, "-:2"),
        ("FROM busybox\nEXPOSE port\n", .dockerfile, "-:2: "),
    ])
    func badInputIsOneLine(_ dockerfile: String, _ code: BuildError.Code, _ part: String) throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let error = try fixture.failure(dockerfile)
            #expect(error.code == code)
            #expect(error.description.contains(part), "\(error)")
            #expect(!error.description.contains("\n"))
            #expect(try fixture.store.images().count == 1)
        }
    }

    @Test func cancellingStopsTheCommand() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let cancellation = try Cancellation()
            let log = BuildFixture.Log()
            PrivateThread.detach {
                let deadline = MonotonicClock.milliseconds + 20_000
                while log.output.isEmpty, MonotonicClock.milliseconds < deadline {
                    MonotonicClock.sleep(milliseconds: 5)
                }
                cancellation.cancel()
            }
            let began = MonotonicClock.milliseconds
            do {
                _ = try fixture.build(
                    "FROM busybox\nRUN echo 1 > /1\nRUN echo started; sleep 1000\n", log: log,
                    cancellation: cancellation)
                Issue.record("the build was not cancelled")
            } catch let error as BuildError {
                #expect(error.code == .cancelled)
                #expect(error.processStatus == 130)
            }
            #expect(MonotonicClock.milliseconds - began < 20_000)
            #expect(try fixture.store.images().count == 1, "no partial image")
        }
    }

    @Test func aFullDiskIsOneLine() throws {
        let directory = "/var/tmp/strata-build-full-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        defer { try? FileDescriptor.currentDirectory.removeTree(directory) }
        try shell("mkdir \(directory)/store \(directory)/context; mount -t tmpfs -o size=12m none \(directory)/store")
        defer { try? Mount.unmount(directory + "/store") }
        do {
            try shell("head -c 20000000 /dev/urandom > \(directory)/context/big")
            let store = try ImageStore(root: directory + "/store/root")
            var options = BuildOptions(context: directory + "/context")
            options.dockerfile = .text(Array("FROM scratch\nCOPY big /\n".utf8))
            let error = #expect(throws: BuildError.self) { try Builder(store: store).build(options) }
            #expect(error?.code == .noSpace, "\(String(describing: error))")
            #expect(try store.images().isEmpty && store.layers().isEmpty)
            #expect(try FileDescriptor.open(store.root + "/tmp", [.directory]).sortedEntryNames().isEmpty)
        }
    }
}
