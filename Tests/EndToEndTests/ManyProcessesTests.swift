import Dispatch
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// Many processes that share a store.
    @Suite struct ManyProcessesTests {
        @Test("8 builds, 4 pulls and 4 runs beside prunes, each a process, give what they give alone")
        func together() throws {
            try DebianRegistry.test { registry in
                try Strata.testWithBusybox { strata in
                    // What a container has stays.
                    try strata("create", "--name", "keeper", "busybox")
                    for number in 0..<4 {
                        try strata.write("FROM busybox\nRUN echo \(number) > /n\n", to: "pushed-\(number)/Dockerfile")
                        let name = "\(registry.domain)/app:\(number)"
                        try strata("build", "-q", "--push", "-t", name, strata.scratch + "/pushed-\(number)")
                    }
                    try strata("image", "prune", "-af")
                    for number in 0..<8 {
                        try strata.write(
                            "FROM busybox\nRUN echo \(number) > /a\nRUN cat /a /a > /b\nCOPY Dockerfile /c\n",
                            to: "context-\(number)/Dockerfile")
                    }
                    let failures = Mutex<[String]>([])
                    let isOver = Atomic(false)
                    let ended = DispatchSemaphore(value: 0)
                    @Sendable func expect(_ output: String?, _ arguments: [String]) {
                        let outcome = Result { try strata.run(arguments, seconds: 600) }
                        if let outcome = try? outcome.get(), outcome.status == 0,
                            output == nil || outcome.line == output
                        {
                            return
                        }
                        failures.withLock { $0.append("\(arguments): \(outcome)") }
                    }
                    DispatchQueue.global().async {
                        while !isOver.load(ordering: .relaxed) {
                            for what in ["image", "builder", "volume"] { expect(nil, [what, "prune", "-af"]) }
                        }
                        ended.signal()
                    }
                    DispatchQueue.concurrentPerform(iterations: 16) { number in
                        let scratch = strata.scratch
                        switch number {
                        case 0..<8:
                            let context = "\(scratch)/context-\(number)"
                            expect(nil, ["build", "-q", "-o", "\(scratch)/out-\(number)", context])
                        case 8..<12: expect("\(number)", ["run", "--rm", "busybox", "echo", "\(number)"])
                        default: expect(nil, ["pull", "-q", "\(registry.domain)/app:\(number - 12)"])
                        }
                    }
                    isOver.store(true, ordering: .relaxed)
                    ended.wait()
                    #expect(failures.withLock { $0 } == [])
                    for number in 0..<8 {
                        #expect(
                            try Program.shell("cat '\(strata.scratch)/out-\(number)/b'") == "\(number)\n\(number)\n")
                    }
                    for number in 0..<4 {
                        let name = "\(registry.domain)/app:\(number)"
                        #expect(try strata("run", "--rm", name, "cat", "/n") == "\(number)")
                    }
                    try strata("system", "check")
                }
            }
        }
    }
}
