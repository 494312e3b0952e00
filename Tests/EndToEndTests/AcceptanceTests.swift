import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// The builds that Strata was made for, on bases of Debian's packages. They need the network for `apt-get`.
    @Suite(.serialized) struct Acceptance {
        /// The contexts beside this file.
        private static let contexts = directory(1) + "/contexts"
        private static let tools = directory(3) + "/tools"

        /// This file's path without so many names at its end.
        private static func directory(_ up: Int) -> String {
            "/" + #filePath.split(separator: "/").dropLast(up).joined(separator: "/")
        }

        /// Puts base images into the store; `debian` comes from `STRATA_TEST_DEBIAN` where that is set.
        static func makeBases(_ strata: Strata, _ names: String...) throws {
            if names.contains("debian"), let archive = getenv("STRATA_TEST_DEBIAN") {
                try strata("import", "-c", #"CMD ["bash"]"#, String(cString: archive), "debian:bookworm")
                try strata("tag", "debian:bookworm", "ubuntu:14.04")
            }
            let outcome = try Program.run(
                ["\(tools)/bases", "--root", strata.root, "--strata", try Strata.binary()] + names, seconds: 900)
            try #require(outcome.status == 0, "\(outcome)")
        }

        /// Builds, and builds again: the second time every instruction comes from the cache, with well under a second of the processor's time.
        private static func build(
            _ strata: Strata, _ arguments: [String], location: SourceLocation = #_sourceLocation
        ) throws {
            let first = try strata.run(["build"] + arguments, seconds: 900)
            try #require(first.status == 0, "\(first)", sourceLocation: location)
            try strata.expectOrder(location: location)
            // The time of a clock would be that of the machine's other work as well.
            let start = processorTimeOfChildren()
            let second = try strata.run(["build"] + arguments)
            let duration = processorTimeOfChildren() - start
            #expect(second.status == 0, "\(second)", sourceLocation: location)
            #expect(duration < .seconds(1), sourceLocation: location)
            expectCached(second.errors, location: location)
        }

        /// What children that have ended took of the processors, in their own code and in the kernel's.
        private static func processorTimeOfChildren() -> Duration {
            var usage = rusage()
            getrusage(RUSAGE_CHILDREN.rawValue, &usage)
            return [usage.ru_utime, usage.ru_stime].reduce(.zero) { sum, time in
                sum + .seconds(Int64(time.tv_sec)) + .microseconds(Int64(time.tv_usec))
            }
        }

        private static func expectCached(_ log: String, location: SourceLocation) {
            let steps = log.split(separator: "\n").filter { $0.contains(#/^#\d+ \[(?!internal)[^\]]*\d+/\d+\] /#) }
            #expect(!steps.isEmpty, "\(log)", sourceLocation: location)
            for step in steps {
                let number = step.prefix { $0 != " " }
                #expect(log.contains("\n\(number) CACHED\n"), "\(step)", sourceLocation: location)
            }
        }

        @Test func a04First() throws {
            try Strata.test { strata in
                try Self.makeBases(strata, "busybox")
                let context = Self.contexts + "/04-first"
                try Self.build(strata, ["-t", "first", context])
                #expect(try strata("run", "--rm", "first").contains("layered"))
                // A late change rebuilds from that line on.
                try Program.shell(
                    "cp -r '\(context)' '\(strata.scratch)/04'; echo echo more >> '\(strata.scratch)/04/hello.sh'")
                let changed = try strata.run(["build", "-t", "first", strata.scratch + "/04"])
                #expect(changed.errors.contains(/RUN echo layered[^\n]*\n#\d+ CACHED/))
                #expect(changed.errors.contains(/COPY hello.sh[^\n]*\n#\d+ DONE/))
                #expect(try strata("run", "--rm", "first").hasSuffix("more"))
            }
        }

        @Test func a01Node() throws {
            try Strata.test { strata in
                try Self.makeBases(strata, "debian", "node")
                let context = Self.contexts + "/01-node"
                try Self.build(strata, ["-t", "web-ping", context])
                try Self.build(strata, ["-f", context + "/Dockerfile.optimized", "-t", "web-ping:optimised", context])
                // The application answers to its environment, and is stopped.
                try strata("run", "-d", "--name", "pinger", "-e", "TARGET=localhost", "web-ping")
                try waitUntil { try !strata("logs", "pinger").isEmpty }
                #expect(try strata("logs", "pinger").contains("localhost"))
                try strata("rm", "-f", "pinger")
                // When app.js changes, the optimised Dockerfile does less again.
                try Program.shell(
                    "cp -r '\(context)' '\(strata.scratch)/01'; echo '// more' >> '\(strata.scratch)/01/app.js'")
                let here = strata.scratch + "/01"
                let plain = try strata.run(["build", here]).errors.split(separator: "\n")
                let optimised = try strata.run(["build", "-f", here + "/Dockerfile.optimized", here]).errors
                    .split(separator: "\n")
                #expect(plain.count { $0.hasSuffix(" CACHED") } >= optimised.count { $0.hasSuffix(" CACHED") } - 1)
                #expect(optimised.contains { $0.contains("COPY app.js") })
                let names = try strata("images", "--format", "{{.Repository}}:{{.Tag}}", "web-ping")
                #expect(names.split(separator: "\n").sorted() == ["web-ping:latest", "web-ping:optimised"])
            }
        }

        @Test func a02Apache() throws {
            try Strata.test { strata in
                // Containers use the host's network: the server needs the port itself.
                try #require(
                    try Program.run(["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/80"]).status != 0,
                    "port 80 is taken on this machine; stop what listens there")
                try Self.makeBases(strata, "debian")
                try Self.build(strata, ["-t", "mybuild:0.0", Self.contexts + "/02-apache"])
                #expect(
                    try strata("images", "--filter", "label=perpose=practice", "--format", "{{.Repository}}")
                        == "mybuild")
                try strata("run", "-d", "--name", "myserver", "mybuild:0.0")
                var page = ""
                try waitUntil {
                    page = try Program.run([
                        "/bin/bash", "-c",
                        #"exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET /test.html HTTP/1.0\r\n\r\n' >&3 && cat <&3"#,
                    ]).output
                    return !page.isEmpty
                }
                #expect(page.hasPrefix("HTTP/1.1 200") && page.contains("hello"))
                #expect(try strata("ps", "--format", "{{.Names}}") == "myserver")
                #expect(try strata("stop", "myserver") == "myserver")
                try strata("rm", "myserver")
                // The two names of the base and the server share its layer, which is there once.
                let shared = try strata("system", "df", "-v", "--format", "{{range .Layers}}{{.Images}} {{end}}")
                #expect(shared.hasPrefix("2 ") || shared.contains(" 2 "))
            }
        }

        @Test func a03MultiStage() throws {
            try Strata.test { strata in
                try Self.makeBases(strata, "debian", "openjdk", "maven")
                try Self.build(strata, ["-t", "app", Self.contexts + "/03-multistage"])
                #expect(try !strata("run", "--rm", "app").isEmpty)
                // The build stage is not in the result.
                #expect(try strata.run(["run", "--rm", "app", "which", "mvn"]).status != 0)
                let part = try strata.run(["build", "--target", "build", "-q", Self.contexts + "/03-multistage"])
                #expect(try strata("run", "--rm", part.line, "ls", "/app/target/app.jar") == "/app/target/app.jar")
            }
        }
    }
}
