import Testing

/// What the fuzzer found, made short: each of these sequences once ended in a difference.
@Suite struct RegressionTests {
    struct Sequence: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String

        init(_ name: String, _ text: String) {
            self.name = name
            self.text = text
        }

        var testDescription: String { name }
    }

    @Test("what once went wrong", arguments: sequences)
    func replay(_ sequence: Sequence) throws {
        let divergence = try Replay().play(Script(text: sequence.text))
        #expect(divergence == nil)
    }

    /// A script as a line of `sequences`.
    static func source(_ script: Script, name: String) -> String {
        let lines = script.description.split(separator: "\n").map { "        \($0)\n" }.joined()
        return "    Sequence(\n        \"\(name)\",\n        \"\"\"\n\(lines)        \"\"\"),"
    }
}
