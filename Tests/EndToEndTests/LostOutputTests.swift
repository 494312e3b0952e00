import Linux
import Testing

extension EndToEnd {
    /// Output that cannot be written is an error, with one line that says so; a reader that has gone is none.
    @Suite struct LostOutputTests {
        /// Runs `strata` with a shell's redirections behind it.
        private func run(_ strata: Strata, _ line: String) throws -> Outcome {
            let program = "'\(try Strata.binary())' --root '\(strata.root)'"
            return try Program.run(["/bin/bash", "-c", "set -o pipefail; \(program) \(line)"])
        }

        private func expectLoss(_ strata: Strata, _ line: String, location: SourceLocation = #_sourceLocation) throws {
            let outcome = try run(strata, line)
            #expect(outcome.status != 0, "\(line): \(outcome)", sourceLocation: location)
            let complaints = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("strata: ") }
            #expect(
                complaints.count == 1 && complaints[0].contains("standard output: No space left"),
                "\(line): \(outcome)", sourceLocation: location)
        }

        @Test("whatever prints fails on a full disk")
        func commands() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "--name", "app", "busybox", "sh", "-c", "echo text; echo 1 > /new")
                try strata("volume", "create", "data")
                try strata.write("FROM busybox\nRUN echo 1 > /a\n", to: "context/Dockerfile")
                let lines = [
                    "images", "images -q", "images --format json", "ps -a", "inspect app", "inspect -f '{{.Name}}' app",
                    "history busybox", "volume ls", "volume inspect data", "system df", "system df -v", "info",
                    "version",
                    "logs app", "diff app", "events --since 1h --until 0s", "save busybox", "export app",
                    "build -q '\(strata.scratch)/context'", "volume create", "create busybox true", "start app",
                    "system prune -f --dry-run", "mount", "wait app", "--help", "run --help",
                ]
                for line in lines { try expectLoss(strata, line + " > /dev/full") }
            }
        }

        @Test("what containers print fails on a full disk, and a reader that goes is no error")
        func containers() throws {
            try Strata.testWithBusybox { strata in
                try expectLoss(strata, "run --rm busybox seq 100000 > /dev/full")
                try expectLoss(strata, "run --name app busybox echo x > /dev/full")
                try expectLoss(strata, "start -a app > /dev/full")
                #expect(try strata("ps", "-aq").split(separator: "\n").count == 1, "that of --rm is gone")
                try strata("run", "-d", "-i", "--name", "bg", "busybox", "sh", "-c", "read x; echo $x")
                try expectLoss(strata, "exec bg echo x > /dev/full")
                try expectLoss(strata, "attach bg <<< word > /dev/full")
                let errors = try run(strata, "run --rm busybox sh -c 'echo x >&2' 2> /dev/full")
                #expect(errors.status == 125, "\(errors)")
                let piped = try run(strata, "run --rm busybox echo x | true")
                #expect(piped.status == 0 || piped.status == 141, "\(piped)")
                #expect(!piped.errors.contains("strata:"), "\(piped)")
            }
        }
    }
}
