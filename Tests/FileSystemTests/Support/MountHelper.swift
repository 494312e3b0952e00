import Glibc
import Linux

/// Where the mount helper under test is.
enum MountHelper {
    /// `STRATA_FUSE`, or the product beside this test bundle. There is no third way: a test without its subject fails.
    static func path() throws -> String {
        if let chosen = getenv("STRATA_FUSE") { return String(cString: chosen) }
        let built = try productsDirectory().appending("strata-fuse")
        if access(built, X_OK) == 0 { return built }
        throw SetupFailure("no mount helper: STRATA_FUSE is not set, and there is no \(built)")
    }

    /// The directory of the running test program.
    private static func productsDirectory() throws -> String {
        let bytes = try FileDescriptor.currentDirectory.readLink("/proc/self/exe")
        let program = String(decoding: bytes, as: UTF8.self)
        // The program may be the package's test runner itself, or a tool that has loaded the bundle it names.
        for candidate in [program] + CommandLine.arguments.filter({ $0.hasSuffix(".xctest") }) {
            guard let slash = candidate.lastIndex(of: "/") else { continue }
            let directory = String(candidate[..<slash])
            if access(directory.appending("strata-fuse"), X_OK) == 0 { return directory }
        }
        return program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    }
}

/// The outcome of a program that was run to its end.
struct FinishedProgram {
    let status: Int32
    /// Standard output and standard error together.
    let output: String
}

/// Runs a program to its end, under timeout(1). Its output goes through a file, so that a daemon it leaves behind does
/// not keep us waiting.
func runProgram(_ arguments: [String], directory: String? = nil, seconds: Int = 60) throws -> FinishedProgram {
    try withScratch { scratch in
        let log = try FileDescriptor.open(scratch.appending("log"), [.readWrite, .create], mode: 0o600)
        let input = try FileDescriptor.open("/dev/null")
        let child = try ChildProcess.spawn(
            "timeout", arguments: ["timeout", "-s", "KILL", String(seconds)] + arguments, directory: directory,
            descriptors: [input.rawValue, log.rawValue, log.rawValue])
        let end = try child.wait()
        _ = try log.seek(0, from: .start)
        return FinishedProgram(status: end.shellStatus, output: String(decoding: try log.readAll(), as: UTF8.self))
    }
}
