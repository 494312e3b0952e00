import Linux
import Testing

/// The suites of this folder once more, on mounts that root of a user namespace makes: without backing files, with marks in
/// `user.` attributes, and without the rights that some of the system calls take.
@Suite struct RootlessConformanceTests {
    /// Only files and directories have `user.` attributes (xattr(7)): a symbolic link or device that was copied up has none to
    /// say where it came from.
    private static let impossible: Set<Substring> = [
        "links of symbolic links and special files", "numbers stay through copy-up, rename, link and a new mount",
    ]

    /// What a plain directory cannot do there either says nothing about the mount; nor what the kernel's overlay cannot.
    @Test("every suite that takes a subject passes in a user namespace where a plain directory passes it")
    func userNamespace() throws {
        // Its tests are those with a parameter of that name. Nobody may open a file handle in a user namespace.
        let finished = try UserNamespace.runTests(matching: "\\(on:", skipping: "FileHandleTests", seconds: 240)
        #expect(finished.output.contains("Test run with"))
        let issues = finished.output.split(separator: "\n").filter { $0.contains("recorded an issue") }
        let beyondUs = Set(issues.filter { $0.contains("subject → directory") }.map(Self.name))
        let excused = beyondUs.union(Self.impossible)
        let failures = issues.filter { $0.contains("subject → strata") && !excused.contains(Self.name($0)) }
        #expect(failures.isEmpty, "\(failures.prefix(40).joined(separator: "\n"))")
        // Most of them are nothing that a user namespace forbids.
        #expect(beyondUs.count < 20, "\(beyondUs)")
    }

    private static func name(_ issue: Substring) -> Substring {
        issue.split(separator: "\"").dropFirst().first ?? issue
    }
}
