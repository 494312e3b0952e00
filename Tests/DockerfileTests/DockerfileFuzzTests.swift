import Dockerfile
import Foundation
import TestSupport
import Testing

/// The Dockerfile's reader with damaged input: a document or an error with a place in it, never a trap, never for long.
/// `tools/fuzz-readers` runs it for as long as wanted.
@Suite struct DockerfileFuzzTests {
    @Test func damagedDockerfiles() throws {
        let inputs = try GoldenTests.cases.map { name in
            [UInt8](try Data(contentsOf: GoldenTests.directory.appending(path: name).appending(path: "Dockerfile")))
        }
        let words = [
            "FROM ", "\\\n", "${x:-", "}", "<<EOF\n", "\nEOF\n", "--mount=type=", "[\"", "\",", "]", "# escape=`\n",
            "\r\n",
            "ONBUILD ", "HEALTHCHECK --interval=99999999999h CMD ", "AS ", "\u{0}", "\u{feff}", "\"", "'", "$",
            "--from=",
            "RUN ", "ARG a=", "${a##", "${a//", "EXPOSE 1-99999999999999999999/tcp\n", "COPY --chmod=7777777777 a b\n",
        ].map { Array($0.utf8) }
        try Mutator.repeated(1500) { seed, mutator in
            let bytes = mutator.mutate(inputs, words: words)
            let start = ContinuousClock.now
            let result = GoldenTests.dump(bytes)
            #expect(result.hasSuffix("\n"))
            try #require(ContinuousClock.now - start < .seconds(5), "seed \(seed)")
        }
    }
}
