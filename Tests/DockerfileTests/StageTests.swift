import Dockerfile
import Testing

/// Global arguments, scopes and the graph of stages, as a builder uses them.
@Suite struct StageTests {
    private func graph(
        _ text: String, given: [String: String] = [:], predefined: [String: String] = [:]
    ) throws -> StageGraph {
        try DockerfileDocument(parsing: text).resolve(arguments: BuildArguments(given: given, predefined: predefined))
    }

    @Test func globalArguments() throws {
        let text = """
            ARG A=1
            ARG B=${A}2 C
            FROM base:$A-$B-$C-${D:-d} AS x
            """
        #expect(try graph(text).nodes[0].base == .image("base:1-12--d"))
        #expect(try graph(text, given: ["A": "9", "C": "c", "D": "no"]).nodes[0].base == .image("base:9-92-c-d"))
        #expect(try graph(text, given: ["A": "9"]).globalArguments == ["A": "9", "B": "92"])
    }

    @Test func platform() throws {
        let text = "FROM --platform=$BUILDPLATFORM a\nFROM --platform=$NOTHING b\n"
        let nodes = try graph(text, predefined: ["BUILDPLATFORM": "linux/amd64"]).nodes
        #expect(nodes.map(\.platform) == ["linux/amd64", nil])
    }

    @Test func aBaseCanBeAStageByVariable() throws {
        let graph = try graph("ARG V=one\nFROM x AS one\nFROM y AS two\nFROM $V\n", given: ["V": "TWO"])
        #expect(graph.nodes[2].base == .stage(1))
        #expect(graph.order(for: 2) == [1, 2])
    }

    @Test func aStageBelowIsNoBase() throws {
        let graph = try graph("FROM later\nFROM x AS later\n")
        #expect(graph.nodes[0].base == .image("later"))
    }

    @Test func onlyWhatIsNeededIsBuilt() throws {
        let graph = try graph(
            """
            FROM a AS one
            FROM b AS two
            FROM c AS three
            COPY --from=two / /
            FROM d
            COPY --from=ONE / /
            COPY --from=1 / /
            COPY --from=img / /
            """)
        #expect(graph.order(for: 3) == [0, 1, 3])
        #expect(graph.images(for: 3) == ["a", "b", "d", "img"])
        #expect(graph.order(for: 2) == [1, 2])
        #expect(try graph.order(for: graph.index(ofTarget: "ONE")) == [0])
        #expect(graph.origin(of: "Two") == .stage(1))
        #expect(graph.origin(of: "2") == .stage(2))
        #expect(graph.origin(of: "7") == .image("7"))
        #expect(graph.dependencies(of: 99) == [] && graph.order(for: 99) == [])
    }

    @Test func targets() throws {
        let graph = try graph("FROM a AS builder\nFROM b\n")
        #expect(try graph.index(ofTarget: nil) == 1)
        #expect(try graph.index(ofTarget: "Builder") == 0)
        #expect(try graph.index(ofTarget: "1") == 1)
        let error = #expect(throws: DockerfileError.self) { try graph.index(ofTarget: "bulider") }
        #expect(error?.code == .unknownStage)
        #expect(error?.description == "Dockerfile: there is no stage \"bulider\" (did you mean builder?)")
    }

    /// A diamond on a diamond and so on: following every path would take for ever.
    @Test(.timeLimit(.minutes(1))) func manyStages() throws {
        var text = "FROM scratch AS s0\nFROM s0 AS t0\n"
        for index in 1..<300 {
            text += "FROM s\(index - 1) AS s\(index)\nCOPY --from=t\(index - 1) / /\n"
            text += "FROM t\(index - 1) AS t\(index)\nCOPY --from=s\(index - 1) / /\n"
        }
        let graph = try graph(text)
        #expect(graph.order(for: 599).count == 599)
    }

    @Test func scopes() throws {
        let document = try DockerfileDocument(
            parsing: """
                ARG GLOBAL=g
                ARG HIDDEN=h
                FROM x
                ENV P=$PATH:/x A=1
                ENV A=2 B=$A C=$HIDDEN
                ARG GLOBAL
                ARG D=$GLOBAL-d E=$D F
                ARG A=arg
                ARG TARGETARCH
                WORKDIR /$A/$E/$F
                """)
        let arguments = BuildArguments(given: ["F": "f", "HIDDEN": "H"], predefined: ["TARGETARCH": "amd64"])
        let graph = try document.resolve(arguments: arguments)
        var scope = VariableScope(
            environment: [KeyValue(key: "PATH", value: "/bin")], globalArguments: graph.globalArguments,
            buildArguments: arguments)
        var last: Instruction.Operation?
        for instruction in document.stages[0].instructions { last = try scope.apply(instruction) }
        #expect(last == .workingDirectory("/arg/g-d/f"), "an ARG behind an ENV hides it")
        #expect(scope.environment.map { "\($0.key)=\($0.value)" } == ["PATH=/bin", "P=/bin:/x", "A=2", "B=1", "C="])
        #expect(
            scope.commandArguments.map { "\($0.key)=\($0.value)" }
                == ["GLOBAL=g", "D=g-d", "E=g-d", "F=f", "A=arg", "TARGETARCH=amd64"])
        scope.set(KeyValue(key: "A", value: "3"))
        #expect(scope.value(of: "A") == "3", "an ENV behind an ARG hides that")
        #expect(!scope.commandArguments.contains { $0.key == "A" })
        #expect(scope.value(of: "HIDDEN") == nil)
        #expect(document.declaredArgumentNames == ["GLOBAL", "HIDDEN", "D", "E", "F", "A", "TARGETARCH"])
    }

    @Test func expandedOperations() throws {
        let document = try DockerfileDocument(
            parsing: """
                FROM x
                COPY --chown=$u --exclude=$u a$u "$u" /$u/
                COPY <<A <<'B' /
                $u
                A
                $u
                B
                RUN --mount=type=cache,target=/$u echo $u
                EXPOSE $ports
                LABEL $u="${u}s" '$u'=1
                VOLUME ["/$u"]
                CMD ["$u"]
                """)
        let values = ["u": "U", "ports": "80 90"]
        let operations = try document.stages[0].instructions.map { try $0.expanded { values[$0] } }
        var files = FileTransfer(sources: [.path("aU"), .path("U")], destination: "/U/")
        files.owner = "U"
        files.excludes = ["U"]
        #expect(operations[0] == .copy(CopyInstruction(files: files)))
        guard case .copy(let copy) = operations[1] else { throw Unexpected() }
        #expect(
            copy.files.sources == [
                .heredoc(Heredoc(name: "A", content: "U\n")),
                .heredoc(Heredoc(name: "B", content: "$u\n", expands: false)),
            ])
        guard case .run(let run) = operations[2] else { throw Unexpected() }
        #expect(run.body == .shell("echo $u") && run.mounts[0].target == "/U")
        #expect(operations[3] == .expose(["80", "90"]))
        #expect(operations[4] == .label([KeyValue(key: "U", value: "Us"), KeyValue(key: "$u", value: "1")]))
        #expect(operations[5] == .volume(["/U"]))
        #expect(operations[6] == .command(.exec(["$u"])))
    }

    @Test func faultsWhileBuildingHaveTheirPlace() throws {
        let document = try DockerfileDocument(parsing: "FROM x\n\nUSER \\\n  $nobody\n", file: "d/Dockerfile")
        let error = #expect(throws: DockerfileError.self) {
            try document.stages[0].instructions[0].expanded { _ in nil }
        }
        #expect(error?.code == .missingArgument)
        #expect(error?.position == SourcePosition(line: 3, column: 1))
        #expect(error?.description.hasPrefix("d/Dockerfile:3:1: the user is empty") == true)
    }

    @Test func looseInstructions() throws {
        let changes = try DockerfileDocument.instructions(parsing: "CMD [\"x\"]\nENV a=b\n", file: "--change")
        #expect(changes.map(\.operation) == [.command(.exec(["x"])), .environment([KeyValue(key: "a", value: "b")])])
        for text in ["FROM x", "BOGUS", "RUN"] {
            #expect(throws: DockerfileError.self) { try DockerfileDocument.instructions(parsing: text) }
        }
    }

    /// The trigger of an `ONBUILD` is parsed again, perhaps years later, and must still be the same instruction.
    @Test func triggersCanBeParsedAgain() throws {
        let text = "RUN cat <<A <<B\none\nA\ntwo\nB\n"
        let direct = try DockerfileDocument.instructions(parsing: text)
        guard case .onBuild(let trigger) = try DockerfileDocument.instructions(parsing: "ONBUILD " + text)[0].operation
        else { throw Unexpected() }
        #expect(try DockerfileDocument.instructions(parsing: trigger).map(\.operation) == direct.map(\.operation))
    }

    struct Unexpected: Error {}
}
