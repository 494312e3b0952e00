import Linux
import Testing

/// `strata-fuse --debug`: what the kernel asks and what the server answers.
@Suite struct DebugOutputTests {
    @Test("each request is a line with its names, and each reply a line with its outcome")
    func lines() throws {
        try withBench { bench throws in
            try Area.with(bench.path("lower")) { try $0.file("there\n", "text") }
            let log = bench.path("log")
            let options = "lowerdir=\(bench.path("lower"))"
            let script = """
                '\(try MountHelper.path())' --debug -o '\(options)' '\(bench.target)' 2>'\(log)' & server=$!
                for _ in $(seq 500); do mountpoint -q '\(bench.target)' && break; sleep 0.01; done
                cat '\(bench.target)/there
                ' >/dev/null; stat '\(bench.target)/missing' 2>/dev/null
                umount '\(bench.target)'; wait $server
                """
            let finished = try runProgram(["sh", "-c", script])
            #expect(finished.status == 0, "\(finished)")
            let lines = String(decoding: try FileDescriptor.open(log).readAll(), as: UTF8.self).split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("-> ") && $0.contains("INIT(26) node 0") })
            #expect(lines.contains { $0.contains("LOOKUP(1) node 1") && $0.hasSuffix("\"there\\x0a\"") })
            let request = try #require(lines.first { $0.hasSuffix("\"missing\"") })
            let number = request.split(separator: " ")[1]
            #expect(lines.contains("<- \(number) ENOENT") || lines.contains { $0.hasPrefix("<- \(number) OK") })
            // Every request but those that want no reply has one.
            let silent = ["FORGET", "BATCH_FORGET", "INTERRUPT"]
            for line in lines where line.hasPrefix("-> ") && !silent.contains(where: { line.contains(" \($0)(") }) {
                let number = line.split(separator: " ")[1]
                #expect(lines.contains { $0.hasPrefix("<- \(number) ") }, "\(line)")
            }
        }
    }
}
