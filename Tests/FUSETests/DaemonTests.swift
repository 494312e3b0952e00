import FUSE
import Glibc
import Linux
import Testing

/// The forks here are of the test process itself, so the children do nothing but system calls and what is tested.
@Suite(.serialized) struct DaemonTests {
    /// Runs `body` in a child whose standard error is a pipe; returns its exit status and what it printed.
    private func run(_ body: () -> Never) throws -> (status: Int32, output: String) {
        let pipe = try FileDescriptor.pipe()
        let (read, write) = (pipe.read.rawValue, pipe.write.rawValue)
        let child = fork()
        if child == 0 {
            dup2(write, STDERR_FILENO)
            close(read)
            close(write)
            body()
        }
        try #require(child > 0)
        let source = pipe.keepRead()
        let output = try source.readAll()
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        return (status, String(decoding: output, as: UTF8.self))
    }

    @Test func successIsReportedWhenTheServerIsReady() throws {
        let result = try run {
            guard let readiness = try? Daemon.detach(name: "test") else { _exit(9) }
            readiness.ready()
            _exit(0)
        }
        #expect(result.status == 0)
        #expect(result.output == "")
    }

    @Test func failureIsReportedWithItsReason() throws {
        let result = try run {
            guard let readiness = try? Daemon.detach(name: "test") else { _exit(9) }
            readiness.fail("no such\nlayer")
        }
        #expect(result.status == 1 << 8)
        #expect(result.output == #"test: no such\nlayer"# + "\n")
    }

    @Test func aServerThatDiesIsReported() throws {
        let result = try run {
            guard let readiness = try? Daemon.detach(name: "test") else { _exit(9) }
            kill(getpid(), SIGKILL)
            readiness.fail("not reached")
        }
        #expect(result.status == 1 << 8)
        #expect(result.output == "test: the server was ended by signal 9 before it was ready\n")
    }
}
