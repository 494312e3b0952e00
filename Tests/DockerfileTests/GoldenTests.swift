import Dockerfile
import Foundation
import Testing

/// Every directory of `testfiles` holds a Dockerfile and what it has to be parsed to, or the error with its place; those
/// called `lint-…` what the build checks find, with the ignore file that is there.
/// `UPDATE_GOLDEN=1` writes the results anew, for review.
@Suite struct GoldenTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "testfiles")

    static let cases: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }()

    @Test func thereAreCases() {
        #expect(GoldenTests.cases.count >= 130)
    }

    @Test(arguments: cases) func golden(name: String) throws {
        let folder = GoldenTests.directory.appending(path: name)
        let bytes = try Data(contentsOf: folder.appending(path: "Dockerfile"))
        let isLint = name.hasPrefix("lint-")
        let ignored = try? Data(contentsOf: folder.appending(path: ".dockerignore"))
        let result = isLint ? try LintDump.of([UInt8](bytes), ignored: ignored) : GoldenTests.dump([UInt8](bytes))
        let file = folder.appending(path: "result")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(result.utf8).write(to: file)
        }
        let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(result == expected)
        #expect(name.hasPrefix("error-") == result.hasPrefix("error "))
    }

    static func dump(_ bytes: [UInt8]) -> String {
        do throws(DockerfileError) {
            let document = try DockerfileDocument(parsing: bytes)
            var dump = Dump(document)
            dump.add(try document.resolve())
            return dump.lines.joined(separator: "\n") + "\n"
        } catch {
            return "error \(error.code.rawValue)\n\(error.detailedDescription)\n"
        }
    }
}
