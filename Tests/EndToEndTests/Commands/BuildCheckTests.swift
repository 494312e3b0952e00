import Foundation
import Testing

extension EndToEnd {
    /// `build --check` and `--call`, and how errors and remarks show the Dockerfile.
    @Suite(.serialized) struct BuildCheckCommand {
        private static let faulty = "FROM scratch as one\nCOPY file /\nCMD hello\n"

        @Test func checksShowTheLinesAndEndWithOne() throws {
            try Strata.test { strata in
                let context = try strata.directory("context")
                try strata.write(Self.faulty, to: "context/Dockerfile")
                try strata.write("file\n", to: "context/.dockerignore")
                let check = try strata.run(["build", "--check", context])
                #expect(check.status == 1)
                #expect(check.errors == "")
                let rules = "https://docs.docker.com/go/dockerfile/rule"
                #expect(
                    check.output == """
                        Check complete, 3 warnings have been found!

                        WARNING: FromAsCasing - \(rules)/from-as-casing/
                        'as' and 'FROM' keywords' casing do not match
                        Dockerfile:1
                        --------------------
                           1 | >>> FROM scratch as one
                           2 |     COPY file /
                           3 |     CMD hello
                        --------------------

                        WARNING: CopyIgnoredFile - \(rules)/copy-ignored-file/
                        Attempting to Copy file "file" that is excluded by .dockerignore
                        Dockerfile:2
                        --------------------
                           1 |     FROM scratch as one
                           2 | >>> COPY file /
                           3 |     CMD hello
                           4 |     
                        --------------------

                        WARNING: JSONArgsRecommended - \(rules)/json-args-recommended/
                        JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
                        Dockerfile:3
                        --------------------
                           1 |     FROM scratch as one
                           2 |     COPY file /
                           3 | >>> CMD hello
                           4 |     
                        --------------------

                        """)
                #expect(try strata.run(["build", "--call", "check", context]).output == check.output)
                #expect(try strata.run(["build", "--call=check,ignorestatus=true", context]).status == 0)
                let skipped = try strata.run([
                    "build", "--check", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=all", context,
                ])
                #expect(skipped.status == 0)
                #expect(skipped.output == "Check complete, no warnings found.\n")
                #expect(try strata("images", "-q") == "", "a check makes no image")
            }
        }

        private struct Answer: Decodable {
            struct Position: Decodable { var line: Int }
            struct Range: Decodable { var start: Position, end: Position }
            struct Location: Decodable { var ranges: [Range]? }
            struct Warning: Decodable {
                var ruleName: String, description: String, url: String, detail: String, location: Location
            }
            struct Source: Decodable { var filename: String, language: String, data: Data }
            struct Fault: Decodable { var message: String, location: Location }
            var warnings: [Warning]
            var sources: [Source]
            var buildError: Fault?
        }

        @Test func jsonHasTheShapeOfBuildKits() throws {
            try Strata.test { strata in
                let context = try strata.directory("context")
                try strata.write(Self.faulty, to: "context/Dockerfile")
                for arguments in [["--check", "--format", "json"], ["--call=check,format=json"]] {
                    let check = try strata.run(["build"] + arguments + [context])
                    #expect(check.status == 1 && check.errors == "")
                    let answer = try JSONDecoder().decode(Answer.self, from: Data(check.output.utf8))
                    #expect(answer.warnings.map(\.ruleName) == ["FromAsCasing", "JSONArgsRecommended"])
                    #expect(answer.warnings[0].location.ranges?.map(\.start.line) == [1])
                    #expect(answer.sources.map(\.data) == [Data(Self.faulty.utf8)])
                    #expect(answer.sources.map(\.filename) == ["Dockerfile"])
                    #expect(answer.buildError == nil)
                }
                let broken = try strata.run(
                    ["build", "--check", "--format=json", "-f", "-", context],
                    input: "FROM scratch AS One\nENV \\\n password=\"\n")
                #expect(broken.status == 1)
                let answer = try JSONDecoder().decode(Answer.self, from: Data(broken.output.utf8))
                #expect(answer.warnings.map(\.ruleName) == ["StageNameCasing"])
                #expect(answer.buildError?.message.hasPrefix("-:3:11: ") == true)
                #expect(answer.buildError?.location.ranges?.map(\.end.line) == [2, 3])
                #expect(broken.errors.contains("   3 | >>>  password=\"\n"))
            }
        }

        @Test func errorsShowTheLines() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                for (text, first, status) in [
                    ("FROM busybox\nCOPPY a b\n", "strata: Dockerfile:2:1: unknown instruction", 1),
                    ("FROM busybox\nRUN true \\\n  && exit 7\n", "strata: Dockerfile:2: The command", 7),
                    ("FROM busybox\nCOPY nothing /\n", "strata: Dockerfile:2: ", 1),
                    ("FROM busybox\nUSER ${someone:?nobody}\n", "strata: Dockerfile:2:1: someone: nobody", 1),
                ] {
                    try strata.write(text, to: "context/Dockerfile")
                    for mode in ["plain", "quiet"] {
                        let build = try strata.run(["build", "--progress", mode, context])
                        #expect(build.status == Int32(status))
                        let lines = build.errors.split(separator: "\n").map(String.init)
                        #expect(lines.last?.hasPrefix(first) == true, "\(build)")
                        let second = text.split(separator: "\n")[1]
                        let block =
                            "Dockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> \(second)\n"
                        #expect(build.errors.contains(block), "\(build)")
                        #expect(lines.dropLast().last == "--------------------")
                    }
                }
            }
        }

        @Test func buildsTellTheirRemarksAtTheEnd() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write("FROM busybox AS Base\nENV name value\nCMD hello\n", to: "context/Dockerfile")
                let build = try strata.run(["build", context])
                #expect(build.status == 0)
                let end = """

                     3 warnings found (use --check to expand):
                     - StageNameCasing: Stage name 'Base' should be lowercase (line 1)
                     - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)
                     - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related \
                    to OS signals (line 3)

                    """
                #expect(build.errors.hasSuffix(end), "\(build)")
                let quiet = try strata.run(["build", "-q", context])
                #expect(quiet.status == 0 && quiet.errors == "")
            }
        }

        @Test func remarksCanBeErrors() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write(
                    "# check=error=true\nFROM busybox\nRUN echo ran\nCMD hello\n", to: "context/Dockerfile")
                let build = try strata.run(["build", "-t", "made", context])
                #expect(build.status == 1)
                #expect(build.errors.contains("1 warning found"))
                #expect(!build.errors.contains("ran\n"), "it fails before the first step")
                let violation = "strata: lint violation found for rules: JSONArgsRecommended"
                #expect(build.errors.split(separator: "\n").last?.hasPrefix(violation) == true, "\(build)")
                let check = try strata.run(["build", "--check", context])
                #expect(check.status == 1 && check.errors.contains(violation))
                let allowed = try strata.run([
                    "build", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=JSONArgsRecommended;error=true", context,
                ])
                #expect(allowed.status == 0)
                let wrong = try strata.run(["build", "--build-arg", "BUILDKIT_DOCKERFILE_CHECK=warn", context])
                #expect(wrong.status == 1 && wrong.errors.contains("BUILDKIT_DOCKERFILE_CHECK"))
            }
        }

        @Test func theBasesOfTheStoreAreLookedAt() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write(
                    "FROM busybox\nENV KNOWN=1\nSHELL [\"/bin/sh\", \"-ec\"]\nONBUILD ENV more=$nowhere\n",
                    to: "context/Dockerfile")
                try strata("build", "-q", "-t", "base", context)
                try strata.write("FROM base\nWORKDIR /$KNOWN\nCMD hello\n", to: "context/Dockerfile")
                let check = try strata.run(["build", "--call=check,format=json", context])
                let answer = try JSONDecoder().decode(Answer.self, from: Data(check.output.utf8))
                #expect(answer.warnings.map(\.detail) == ["Usage of undefined variable '$nowhere'"])
                let other = try strata.run([
                    "build", "--check", "--platform", "linux/s390x", "--build-arg",
                    "BUILDKIT_DOCKERFILE_CHECK=skip=UndefinedVar", context,
                ])
                #expect(other.status == 1)
                #expect(
                    other.output.contains(
                        /Base image base was pulled with platform "linux\/\w+", expected "linux\/s390x"/))
            }
        }

        @Test func targetsAndOutline() throws {
            try Strata.test { strata in
                let context = try strata.directory("context")
                try strata.write(
                    """
                    # VERSION is what is built
                    ARG VERSION=1
                    # tools has the compiler
                    FROM scratch AS tools
                    ARG VERSION
                    RUN --mount=type=secret,id=token,required --mount=type=ssh true
                    FROM tools

                    """, to: "context/Dockerfile")
                #expect(
                    try strata("build", "--call=targets", context)
                        == "TARGET    DESCRIPTION\ntools     has the compiler\n(default) ")
                #expect(
                    try strata.run(["build", "--call=outline", "--target=tools", context]).output == """
                        TARGET:      tools
                        DESCRIPTION: has the compiler

                        BUILD ARG   VALUE   DESCRIPTION
                        VERSION     1       is what is built

                        SECRET   REQUIRED
                        token    true

                        SSH       REQUIRED
                        default   


                        """)
                let json = try strata("build", "--call=targets,format=json", context)
                #expect(json.contains("\"description\": \"has the compiler\""))
                for wrong in [["--call", "nonsense"], ["--format", "json"], ["--check", "--format", "yaml"]] {
                    let outcome = try strata.run(["build"] + wrong + [context])
                    #expect(outcome.status != 0 && outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
                }
            }
        }
    }
}
