import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// `build`
    @Suite(.serialized) struct BuildCommand {
        static let dockerfile = """
            FROM busybox
            ARG GREETING=hello
            ENV PLACE=/greeting
            RUN echo $GREETING > $PLACE
            COPY late /late
            CMD ["cat", "/greeting", "/late"]

            """

        @Test func theSecondBuildIsCachedInEveryStep() throws {
            try Strata.testWithBusybox { strata in
                try strata.write(Self.dockerfile, to: "context/Dockerfile")
                try strata.write("late\n", to: "context/late")
                let context = strata.scratch + "/context"
                let first = try strata.run(["build", "-t", "greet", "-t", "greet:2", context])
                #expect(first.status == 0, "\(first)")
                #expect(first.output == "")
                #expect(!first.errors.contains("RUN echo $GREETING > $PLACE\n#4 CACHED"))
                #expect(try strata("run", "--rm", "greet") == "hello\nlate")
                let id = try strata("images", "-q", "--no-trunc", "greet:2")
                try strata.expectOrder()

                try Program.shell("touch '\(context)/late'")
                let second = try strata.run(["build", "-t", "greet", context])
                #expect(second.errors.contains("CACHED"))
                #expect(!second.errors.contains(/\] (RUN|COPY)[^\n]*\n#\d+ (DONE|\d)/))
                #expect(try strata("images", "-q", "--no-trunc", "greet:latest") == id)

                try strata.write("later\n", to: "context/late")
                let third = try strata.run(["build", "-t", "greet", context])
                #expect(third.errors.contains(/\] RUN[^\n]*\n#\d+ CACHED/))
                #expect(third.errors.contains(/\] COPY[^\n]*\n#\d+ DONE/))
                #expect(try strata("run", "--rm", "greet") == "hello\nlater")

                let fourth = try strata.run(["build", "--no-cache", "--build-arg", "GREETING=servus", "-q", context])
                #expect(fourth.errors == "")
                #expect(try strata("run", "--rm", fourth.line) == "servus\nlater")
            }
        }

        @Test func namesFilesAndContextsAreDockers() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write("FROM busybox\nLABEL where=elsewhere\n", to: "elsewhere/Recipe")
                let file = "\(strata.scratch)/id"
                try strata(
                    "build", "-f", "\(strata.scratch)/elsewhere/Recipe", "-t", "user/repo:1.0", "--label", "more=yes",
                    "--iidfile", file, context)
                let id = try strata("images", "-q", "--no-trunc", "user/repo:1.0")
                #expect(try Program.shell("cat '\(file)'") == id)
                #expect(
                    try strata("inspect", "-f", "{{json .Config.Labels}}", id) == #"{"more":"yes","where":"elsewhere"}"#
                )
                let standardInput = try strata.run(["build", "-q", "-"], input: "FROM busybox\nENV A=1\n")
                #expect(standardInput.status == 0, "\(standardInput)")
                try strata.write("FROM busybox\nENV A=2\n", to: "context/Dockerfile")
                let here = try strata.run(["build", "-q", "."], directory: context)
                #expect(try strata("inspect", "-f", "{{join .Config.Env \" \"}}", here.line).contains("A=2"))
                let archive = try strata.run(["build", "-"], inputFile: try Busybox.archive())
                #expect(archive.status == 1)
            }
        }

        @Test func onlyTheStagesThatAreNeededAreBuilt() throws {
            try Strata.testWithBusybox { strata in
                try strata.write(
                    """
                    FROM busybox AS broken
                    RUN false
                    FROM busybox AS build
                    RUN echo made > /made
                    FROM busybox
                    COPY --from=build /made /taken
                    COPY --from=busybox /data/file /base
                    """, to: "context/Dockerfile")
                let context = strata.scratch + "/context"
                try strata("build", "-t", "whole", context)
                #expect(try strata("run", "--rm", "whole", "cat", "/taken", "/base") == "made\nfrom the image")
                try strata("build", "-t", "part", "--target", "build", context)
                #expect(try strata("run", "--rm", "part", "cat", "/made") == "made")
                try strata.failure(of: "build", "--target", "nosuch", context, status: 1)
            }
        }

        @Test func aFailingCommandLeavesWhatWasBuilt() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                let text = "FROM busybox\nRUN echo kept > /kept\nRUN echo before && exit 7\n"
                let outcome = try strata.run(["build", "-t", "never", "-f", "-", context], input: text)
                #expect(outcome.status == 7)
                #expect(outcome.errors.contains(" before\n"))
                #expect(outcome.errors.contains("returned a non-zero code: 7"))
                #expect(try strata("ps", "-aq") == "")
                #expect(try strata("images", "never", "-q") == "")
                let left = try strata(
                    "images", "--filter", "dangling=true", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
                #expect(left.hasPrefix("<none>:<none> "))
                let id = String(left.dropFirst("<none>:<none> ".count))
                #expect(try strata("run", "--rm", id, "cat", "/kept") == "kept")
                try strata.expectOrder()
                try strata("rmi", id)

                let kept = try strata.run(["build", "--rm=false", "-f", "-", context], input: text)
                #expect(kept.status == 7)
                #expect(try strata("ps", "-a", "--format", "{{.Status}}").hasPrefix("Exited (7)"))
                #expect(try strata("diff", try strata("ps", "-aq")) == "")
            }
        }

        @Test func theCacheIsExplained() throws {
            try Strata.testWithBusybox { strata in
                try strata.write(Self.dockerfile, to: "context/Dockerfile")
                try strata.write("late\n", to: "context/late")
                let context = strata.scratch + "/context"
                try strata("build", context)
                try strata.write("later\n", to: "context/late")
                let outcome = try strata.run(["build", "--explain-cache", context])
                #expect(
                    outcome.errors.contains(/RUN [^\n]*\n#\d+ cache: found, made 2[^\n]*\n#\d+ CACHED\n/), "\(outcome)")
                #expect(
                    outcome.errors.contains(
                        /COPY [^\n]*\n#\d+ cache: missed, compared with the same step of 2[^\n]*\n#\d+ cache: the file late has other content\n/
                    ), "\(outcome)")
            }
        }

        @Test func whatFailedCanBeLookedAt() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                let recipe = try strata.write(
                    "FROM busybox\nENV A=1\nRUN echo half > /trace; echo why; exit 3\n", to: "recipe")
                let shell = try strata.run(
                    ["build", "--debug-shell", "-f", recipe, context], input: "cat /trace; echo $A; exit 5\n")
                #expect(shell.status == 3 && shell.output == "half\n1\n", "\(shell)")
                #expect(try strata("images", "-q", "--filter", "dangling=true") == "")

                let kept = try strata.run(["build", "-q", "--keep-failed", "-f", recipe, context])
                #expect(kept.status == 3 && kept.output == "")
                #expect(kept.errors.contains(/^------\n > \[2\/2\] RUN [^\n]*:\n[\d.]+ why\n------\n/), "\(kept)")
                let id = try strata("images", "-q", "--filter", "dangling=true")
                #expect(kept.errors.contains("run -it --rm \(id)"))
                #expect(try strata("run", "--rm", id, "cat", "/trace") == "half")
            }
        }

        @Test func anInterruptedBuildTidiesUp() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                let recipe = try strata.write("FROM busybox\nRUN echo started; sleep 1000\n", to: "recipe")
                let log = "\(strata.scratch)/log"
                let file = try FileDescriptor.open(log, [.readWrite, .create], mode: 0o600)
                let binary = try Strata.binary()
                let build = try ChildProcess.spawn(
                    binary, arguments: [binary, "--root", strata.root, "build", "-f", recipe, context],
                    descriptors: [file.rawValue, file.rawValue, file.rawValue], newSession: true)
                try waitUntil { try Program.shell("cat '\(log)'").contains(" started\n") }
                try build.signal(SIGINT)
                let status = try build.wait().shellStatus
                #expect(status == 130)
                try strata.expectOrder()
                #expect(try strata("ps", "-aq") == "")
            }
        }

        @Test func engineFilesStayOutOfLayers() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                let id = try strata.run(["build", "-q", "-f", "-", context], input: "FROM busybox\nRUN true\n").line
                let layers = try strata("inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", id)
                #expect(try Program.shell("find '\(layers)' -mindepth 1") == "")
                try strata("run", "--name", "idle", "busybox", "cat", "/etc/resolv.conf", "/etc/hosts")
                #expect(try strata("diff", "idle") == "")
            }
        }
    }
}
