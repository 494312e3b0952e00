import Testing

@testable import Rendering

/// The part of Go's template language that `--format` takes.
@Suite struct TemplateTests {
    static let value: Value = .members([
        "Name": "web", "Count": 3, "Running": true, "Nothing": .null,
        "Health": .absent(.pointer), "Ports": .absent(.map), "Args": .absent(.list), "Ratio": .number(1.5),
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

    /// What Go's text/template and Docker's functions make of them.
    static let more: [(String, String)] = [
        ("{{.Config.Labels.nosuch}}|{{.Config.Labels.nosuch.more}}", "<no value>|<no value>"),
        ("{{index .Config.Labels `nosuch`}}|", "|"), ("{{.Health}} {{.Ports}} {{.Args}}", "<nil> map[] []"),
        ("{{with .Config}}{{else}}none{{end}}{{if .Args}}{{else}}none{{end}}", "none"),
        ("{{pad .Name 2 1}}|{{pad \"\" 2 1}}|", "  web ||"), ("{{truncate .Name 2}}{{truncate .Name 9}}", "weweb"),
        ("{{title \"hello wide world\"}}", "Hello Wide World"), ("{{split \"a,b\" \",\"}}", "[a b]"),
        ("{{range .Config.Env}}{{if eq . \"B=2\"}}{{break}}{{end}}{{.}}{{end}}", "A=1"),
        ("{{range .Config.Env}}{{if eq . \"A=1\"}}{{continue}}{{end}}{{.}}{{end}}", "B=2"),
        ("{{range $i, $e := .Config.Env}}{{$i}}{{$e}} {{end}}{{range 3}}{{.}}{{end}}", "0A=1 1B=2 012"),
        ("{{define \"T\"}}<{{.}}{{$}}>{{end}}{{template \"T\" .Name}}", "<webweb>"),
        ("{{block \"B\" .Count}}[{{.}}]{{end}}{{template \"B\"}}", "[3][<no value>]"),
        ("{{with .Nothing}}x{{else with .Name}}{{.}}{{end}}", "web"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$y := $x}}{{$y}}{{end}}{{$x}}", "22"),
        ("{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"),
        ("{{print 1 2 \"a\" \"b\" 3}}|{{println 1 \"a\"}}|", "1 2ab3|1 a\n|"),
        ("{{\"}}\"}}{{\"\\t\\x41\\u00e9\\\"\"}}", "}}\tAé\""),
        ("{{'a'}} {{0x1F}} {{1_000}} {{.5}} {{1e3}} {{-2}}", "97 31 1000 0.5 1000 -2"),
        ("{{slice .Name 1}} {{slice .Name 0 2}} {{slice .Config.Env 1}}", "eb we [B=2]"),
        ("{{and .Name .Count}} {{and 0 (index .Args 5)}} {{or 0 \"\" 2}} {{or 1 (index .Args 5)}}", "3 0 2 1"),
        ("{{eq .Count 1 3}} {{ne .Name \"web\"}} {{le 2.5 2.5}} {{eq .Health nil}}", "true false true true"),
        ("{{html `<a b='c'>&\"`}}", "&lt;a b=&#39;c&#39;&gt;&amp;&#34;"), ("{{urlquery `a b&c`}}", "a+b%26c"),
        ("{{js `it's <b>`}}", #"it\'s \u003Cb\u003E"#), ("{{ .Name -}}   \n {{- /* gone */ -}} x", "webx"),
        ("{{(index .Config.Env 0) | len}}{{(.Config).Labels.x}}{{$.Config.Labels.x}}", "311"),
        ("{{.Config.Labels.x | printf \"%s-%s\" .Name}}", "web-1"), ("{{len .Args}}{{not .Args}}", "0true"),
    ]

    @Test("Go's language and Docker's functions give what they give there", arguments: more)
    func rendersAsGo(template: String, text: String) throws {
        #expect(try Template(template).text(for: Self.value) == text)
    }

    static let formats: [(String, [Value], String)] = [
        ("%.3s|%5s|%-5s|%05d", ["abcdef", "ab", "ab", 42], "abc|   ab|ab   |00042"),
        ("%q %x %X % x %#x", ["a\"b", "hi", "hi", "hi", "hi"], #""a\"b" 6869 6869 68 69 0x6869"#),
        (
            "%d %+d % d %b %o %#o %x %#X %c %q %U", [1, 1, 1, 5, 8, 8, 255, 255, 65, 65, 65],
            "1 +1  1 101 10 010 ff 0XFF A 'A' U+0041"
        ),
        (
            "%v %.2f %8.3f %-8.1f| %e %g %G",
            [
                .number(1.5), .number(2.345), .number(3.14159), .number(2), .number(12345.678), .number(1e21),
                .number(1e-7),
            ],
            "1.5 2.35    3.142 2.0     | 1.234568e+04 1e+21 1E-07"
        ),
        ("%t %v %5t|", [true, false, true], "true false  true|"),
        ("%d", ["hi"], "%!d(string=hi)"), ("%d", [], "%!d(MISSING)"), ("x%", [], "x%!(NOVERB)"),
        ("%s", ["a", "b", 3], "a%!(EXTRA string=b, int=3)"), ("%z", [1], "%!z(int=1)"), ("100%%", [], "100%"),
        ("%[2]s %[1]s", ["a", "b"], "b a"), ("%[3]s", ["a"], "%!s(BADINDEX)"),
        ("%*d|%-*d|%.*s", [4, 7, 4, 7, 2, "abc"], "   7|7   |ab"),
        (
            "%s %q %d %v", [.strings(["a", "b"]), .strings(["a", "b"]), .array([1, 2]), .map(["k": "v"])],
            #"[a b] ["a" "b"] [1 2] map[k:v]"#
        ),
        ("%v %s %T %T %T", [.null, .null, "a", 1, .strings(["a"])], "<nil> %!s(<nil>) string int []string"),
        ("%v", [.members(["A": 1, "B": "x"])], "{1 x}"), ("%+v", [.members(["A": 1, "B": "x"])], "{A:1 B:x}"),
    ]

    @Test("printf knows the verbs, flags, widths and precisions of Go", arguments: formats)
    func printfFormats(format: String, arguments: [Value], text: String) {
        #expect(GoFormat.printf(format, arguments) == text)
    }

    @Test("numbers with a fraction are written as Go's") func fractions() {
        let numbers: [(Double, String)] = [
            (0, "0"), (-0.5, "-0.5"), (100, "100"), (123456, "123456"), (1e6, "1e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"), (123456789.25, "1.2345678925e+08"),
        ]
        for (number, text) in numbers { #expect(GoNumber.shortest(number) == text) }
        #expect(Value.number(1e-7).json == "1e-7")
    }

    @Test("a member that JSON leaves out, and a second name, are there for templates") func hiddenMembers() throws {
        let value = Value.object([
            .init(name: "Id", value: "x"), .init(name: "ID", value: "x", visibility: .alias),
            .init(name: "Shell", value: .absent(.list), visibility: .templates),
        ])
        #expect(value.json == #"{"Id":"x"}"#)
        #expect(try Template("{{.ID}}{{.Id}}{{.Shell}}").text(for: value) == "xx[]")
    }

    @Test(arguments: templates)
    func renders(template: String, text: String) throws {
        #expect(try Template(template).text(for: Self.value) == text)
    }

    @Test(arguments: [
        "{{.Name", "{{.Missing}}", "{{.Config.Missing}}", "{{range .Name}}{{end}}", "{{if .Name}}", "{{end}}",
        "{{frobnicate .Name}}",
        "{{.Name .Count}}", "{{\"open}}", "{{(.Name}}", "{{}}", "{{index .Config.Env 7}}", "{{.Name.More}}", "{{|}}",
        "{{if .Name}}{{else}}{{else}}{{end}}", "{{$nobody}}", "{{:}}", "{{if false}}{{$x}}{{end}}", "{{break}}",
        "{{if .Name}}{{continue}}{{end}}", "{{template \"none\"}}", "{{nil}}", "{{upper .Count}}",
        "{{eq .Count .Name}}",
        "{{lt true false}}", "{{len .Count}}", "{{.Health.Status}}", "{{.Config.Labels.x.y}}", "{{pad .Name 1}}",
        "{{slice .Name 2 1}}", "{{define \"T\"}}{{template \"T\"}}{{end}}{{template \"T\"}}", "{{/* open", "{{1 | 2}}",
        "{{if}}x{{end}}", "{{with $x := .Name}}{{end}}{{$x}}", "{{\"\\q\"}}", "{{1x}}", "{{.Name}.}",
    ])
    func refuses(template: String) {
        #expect(throws: RenderingError.self) { try Template(template).text(for: Self.value) }
    }

    @Test func headingsPassThroughFunctions() throws {
        let headings = Value.members(["ID": "IMAGE ID", "Size": "SIZE"])
        #expect(try Template("{{json .ID}}\t{{upper .Size}}").headings(headings) == "IMAGE ID\tSIZE")
        #expect(
            try Template("{{truncate .ID 2}}|{{pad .Size 1 1}}|{{printf `%.3s` .ID}}").headings(headings)
                == "IMAGE ID| SIZE |IMA")
    }

    @Test func jsonIsEscapedAndKeepsItsOrder() {
        let value = Value.members(["z": "a\"b\\\n\u{1}<é>", "a": .array([.null, 1, false]), "e": .object([])])
        #expect(value.json == #"{"z":"a\"b\\\n\u0001<é>","a":[null,1,false],"e":{}}"#)
        #expect(Value.array([]).indentedJSON == "[]")
        #expect(Value.members(["a": .array([1])]).indentedJSON == "{\n    \"a\": [\n        1\n    ]\n}")
    }
}
