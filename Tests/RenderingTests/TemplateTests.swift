import Testing

@testable import Rendering

/// The part of Go's template language that `--format` takes.
@Suite struct TemplateTests {
    static let value = Value.members([
        "Name": "web", "Count": 3, "Running": true, "Nothing": .null,
        "Config": .members(["Env": .strings(["A=1", "B=2"]), "Labels": .map(["x": "1", "a.b": "2"])]),
    ])

    static let templates: [(String, String)] = [
        ("plain", "plain"), ("{{.Name}}", "web"), ("{{ .Count }}/{{.Running}}", "3/true"),
        ("{{json .Config.Env}}", #"["A=1","B=2"]"#), ("{{.Config.Env}}", "[A=1 B=2]"),
        ("{{.Config.Labels}}", "map[a.b:2 x:1]"), ("{{.Nothing}}", "<no value>"),
        ("{{range .Config.Env}}<{{.}}>{{end}}", "<A=1><B=2>"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "a.b=2;x=1;"),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{if .Running}}up{{else}}down{{end}}", "up"),
        ("{{if not .Running}}up{{else if eq .Count 3}}three{{else}}down{{end}}", "three"),
        ("{{with .Config}}{{len .Env}}{{end}}", "2"), ("{{index .Config.Labels \"a.b\"}}", "2"),
        ("{{index .Config.Env 1}}", "B=2"), ("{{join .Config.Env \",\"}}", "A=1,B=2"),
        ("{{.Name | upper | printf \"%5s|\"}}", "  WEB|"), ("{{(index .Config.Env 0)}}", "A=1"),
        ("a {{- .Name -}} b", "awebb"), ("{{/* remark */}}x", "x"), ("{{$.Name}}{{$x := .Count}}{{$x}}", "web3"),
        ("{{println .Name}}", "web\n"), ("{{`a\"b`}}", "a\"b"), ("{{gt .Count 2}}", "true"),
    ]

    @Test(arguments: templates)
    func renders(template: String, text: String) throws {
        #expect(try Template(template).text(for: Self.value) == text)
    }

    @Test(arguments: [
        "{{.Name", "{{.Missing}}", "{{range .Name}}{{end}}", "{{if .Name}}", "{{end}}", "{{frobnicate .Name}}",
        "{{.Name .Count}}", "{{\"open}}", "{{(.Name}}", "{{}}", "{{index .Config.Env 7}}", "{{.Name.More}}", "{{|}}",
        "{{if .Name}}{{else}}{{else}}{{end}}", "{{$nobody}}", "{{:}}",
    ])
    func refuses(template: String) {
        #expect(throws: RenderingError.self) { try Template(template).text(for: Self.value) }
    }

    @Test func headingsPassThroughFunctions() throws {
        let headings = Value.members(["ID": "IMAGE ID", "Size": "SIZE"])
        #expect(try Template("{{json .ID}}\t{{upper .Size}}").headings(headings) == "IMAGE ID\tSIZE")
    }

    @Test func jsonIsEscapedAndKeepsItsOrder() {
        let value = Value.members(["z": "a\"b\\\n\u{1}<é>", "a": .array([.null, 1, false]), "e": .object([])])
        #expect(value.json == #"{"z":"a\"b\\\n\u0001<é>","a":[null,1,false],"e":{}}"#)
        #expect(Value.array([]).indentedJSON == "[]")
        #expect(Value.members(["a": .array([1])]).indentedJSON == "{\n    \"a\": [\n        1\n    ]\n}")
    }
}
