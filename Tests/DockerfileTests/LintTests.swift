import Dockerfile
import Foundation
import Testing

/// The build checks: what is in no file of `testfiles`.
@Suite struct LintTests {
    private func check(_ text: String, _ subject: LintSubject = LintSubject()) -> String {
        LintDump.text(Linter.check(Array(text.utf8), file: "Dockerfile", subject))
    }

    /// Each rule has a file that it finds something in, and one that is like it but for the fault.
    @Test(arguments: LintRule.allCases) func everyRuleHasBothKindsOfFiles(rule: LintRule) throws {
        let name = try #require(
            rule.url.map { $0.split(separator: "/").last.map(String.init) } ?? "invalid-base-image-platform")
        for (folder, warns) in [("lint-\(name)", true), ("lint-\(name)-none", false)] {
            let file = GoldenTests.directory.appending(path: "\(folder)/result")
            let result = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            #expect(result.contains(" \(rule.rawValue): ") == warns, "\(folder)")
            #expect(!result.contains("error "), "\(folder)")
        }
    }

    @Test func addressesAreDockers() {
        #expect(LintRule.allCases.count == 22)
        let prefix = "https://docs.docker.com/go/dockerfile/rule/"
        #expect(LintRule.jsonArgsRecommended.url == prefix + "json-args-recommended/")
        #expect(LintRule.undefinedArgInFrom.url == prefix + "undefined-arg-in-from/")
        #expect(LintRule.secretsUsedInArgOrEnv.url == prefix + "secrets-used-in-arg-or-env/")
        #expect(LintRule.invalidBaseImagePlatform.url == nil)
    }

    @Test func stagesThatTheTargetDoesNotNeedAreLeftAlone() {
        let text = """
            FROM scratch AS a
            FROM a AS b
            ENV testkey value
            FROM a AS c
            LABEL key value
            """
        let all = ["3", "5"].map { line in
            let name = line == "3" ? "ENV" : "LABEL"
            return "\(line) LegacyKeyValueFormat: \"\(name) key=value\" should be used instead of legacy \"\(name) key"
                + " value\" format\n"
        }
        #expect(check(text) == all.joined())
        #expect(check(text, LintSubject(target: "c")) == all[1])
        #expect(check(text, LintSubject(target: "b")) == all[0])
        #expect(check(text, LintSubject(target: "a")) == "nothing\n")
        #expect(check(text, LintSubject(target: "d")).hasPrefix("error Dockerfile: there is no stage"))
    }

    @Test func optionsFromOutsideTakeThePlaceOfTheDirective() throws {
        let text = "#check=skip=all\nFROM scratch as base\ncopy Dockerfile .\n"
        let casing = "2 FromAsCasing: 'as' and 'FROM' keywords' casing do not match\n"
        #expect(check(text) == "nothing\n")
        let options = try LintOptions(parsing: "skip=ConsistentInstructionCasing;error=true")
        #expect(
            check(text, LintSubject(options: options))
                == casing + "violation lint violation found for rules: FromAsCasing\n")
        let all = try LintOptions(parsing: "skip=all")
        #expect(check("#check=error=true\n" + text.dropFirst(16), LintSubject(options: all)) == "nothing\n")
    }

    @Test func valuesFromOutsideCount() {
        let text = "ARG VERSION\nFROM busybox:$VERSION\nARG x=$undefined\n"
        let invalid =
            "2 InvalidDefaultArgInFrom: Default value for ARG busybox:$VERSION results in empty or invalid base image"
            + " name\n"
        let undefined = "3 UndefinedVar: Usage of undefined variable '$undefined'\n"
        #expect(
            check(text, LintSubject(arguments: BuildArguments(given: ["VERSION": "latest"]))) == invalid + undefined)
        // A default that is not used is not looked at.
        #expect(check(text, LintSubject(arguments: BuildArguments(given: ["VERSION": "1", "x": "2"]))) == invalid)
    }

    @Test(arguments: ["skip", "skip=a;b", "errors=true", "error=perhaps"])
    func optionsThatCannotBe(text: String) {
        #expect(throws: DockerfileError.self) { try LintOptions(parsing: text) }
    }

    /// The blocks of BuildKit: four lines around one, two around several, and never beyond the file.
    @Test func linesAreShownAsBuildKitShowsThem() {
        let text = Array("one\ntwo\r\n\u{1b}three\nfour\nfive\nsix\n".utf8)
        #expect(
            SourceExcerpt.render(text, file: "f", marked: 1...1) == """
                f:1
                --------------------
                   1 | >>> one
                   2 |     two
                   3 |     \u{1b}three
                --------------------

                """)
        #expect(
            SourceExcerpt.render(text, file: "f", marked: 3...4) == """
                f:3
                --------------------
                   2 |     two
                   3 | >>> \u{1b}three
                   4 | >>> four
                   5 |     five
                --------------------

                """)
        #expect(SourceExcerpt.render(text, file: "f", marked: 7...9).contains("   7 | >>> \n---"))
        #expect(SourceExcerpt.render(text, file: "f", marked: 8...8).isEmpty)
        #expect(SourceExcerpt.render(Array("only".utf8), file: "f", marked: 1...1).contains("   1 | >>> only\n"))
    }

    @Test func errorsKnowTheLinesOfTheirInstruction() {
        for (text, lines) in [
            ("FROM scratch\nRUN --mount=type=cache \\\n --nonsense true\n", 2...3),
            ("FROM scratch\nCOPY <<END /a\nx\n", 2...2), ("FROM scratch\nFROM ${x?} \\\n AS y", 2...3),
        ] {
            let error = #expect(throws: DockerfileError.self) {
                try DockerfileDocument(parsing: text).resolve()
            }
            #expect(error?.lines ?? error?.position.map { $0.line...$0.line } == lines, "\(text)")
        }
    }

    @Test func targetsAndOutline() throws {
        let text = """
            ARG inherited=box
            ARG inherited2=box2
            ARG unused=abc${inherited2}
            # sfx is a suffix
            ARG sfx="usy${inherited}"

            FROM b${sfx} AS first
            # this is not assigned to anything
            ARG FOO=123
            # BAR is a number
            ARG BAR=456
            RUN --mount=type=secret,id=token,required true

            FROM alpine${unused} AS second
            ARG BAZ
            RUN true

            FROM scratch AS third
            ARG ABC=a

            # target defines build target
            FROM third AS target
            COPY --from=first /etc/passwd /

            FROM second
            """
        let document = try DockerfileDocument(parsing: text)
        let list = TargetList(document).targets
        #expect(list.map(\.name) == ["first", "second", "third", "target", nil])
        #expect(list.map(\.isDefault) == [false, false, false, false, true])
        #expect(list[3].description == "defines build target")
        #expect(list.map(\.base) == ["b${sfx}", "alpine${unused}", "scratch", "third", "second"])

        let arguments = BuildArguments(given: ["BAR": "678"])
        let outline = try BuildOutline(document, arguments: arguments, target: "target")
        #expect(outline.name == "target")
        #expect(outline.description == "defines build target")
        #expect(
            outline.arguments.map { "\($0.lines.lowerBound) \($0.name)=\($0.value ?? "nil") \($0.description ?? "")" }
                == [
                    "1 inherited=box ", "5 sfx=usybox is a suffix", "9 FOO=123 ", "11 BAR=678 is a number", "19 ABC=a ",
                ])
        #expect(outline.secrets.map { "\($0.lines.lowerBound) \($0.name) \($0.isRequired)" } == ["12 token true"])
    }
}
