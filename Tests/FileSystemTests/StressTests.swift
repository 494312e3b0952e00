import Glibc
import Linux
import TestSupport
import Testing

/// Many processes at once, which the random single-threaded operations cannot be: nothing may hang, fail without
/// reason, or leave a tree that a new mount shows differently.
@Suite struct StressTests {
    /// Directories with files in two lower layers that overlap.
    private static func layers() -> [(Area) throws -> Void] {
        [
            { area in
                for directory in 0..<10 {
                    try area.directory("d\(directory)")
                    for file in 0..<50 { try area.file("d\(directory)/f\(file)", "lower \(directory) \(file)\n") }
                }
            },
            { area in
                for directory in stride(from: 0, to: 10, by: 2) {
                    try area.directory("d\(directory)")
                    try area.file("d\(directory)/f1", "upper layer\n")
                    try area.whiteout("d\(directory)/f2")
                }
            },
        ]
    }

    /// Runs shell scripts at the same time in the mount and returns how they ended; a script that hangs is killed.
    private func runTogether(_ directory: String, _ scripts: [String]) throws -> [Termination?] {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let children = try scripts.map { script in
            try ChildProcess.spawn(
                "timeout", arguments: ["timeout", "-s", "KILL", "120", "sh", "-c", script], directory: directory,
                descriptors: [null.rawValue, null.rawValue, 2])
        }
        return children.map { try? $0.wait() }
    }

    /// The mount agrees with itself, before and after a new mount.
    private func expectConsistent(_ union: MountedUnion) throws {
        let before = try TreeSnapshot(of: union.target)
        #expect(before.directoryFaults == [])
        try union.remount()
        let after = try TreeSnapshot(of: union.target)
        #expect(before.differences(to: after) == [])
        #expect(after.changedInodes(since: before).prefix(5) == [])
    }

    @Test("processes that work in different directories do not notice each other")
    func apart() throws {
        try withUnion(layers: Self.layers()) { union throws in
            let ends = try runTogether(
                union.target,
                (0..<8).map { number in
                    """
                    set -e; cd d\(number)
                    for i in $(seq 40); do
                        echo new > n$i; cat f10 > /dev/null; echo more >> f$i; mv n$i m$i; ln f$i l$i; chmod 600 f$i; rm l$i
                    done
                    mkdir s; mv m* s; mv s ../moved\(number); ls -l ../moved\(number)
                    """
                })
            #expect(ends.allSatisfy { $0 == .exited(0) }, "\(ends)")
            try Area.with(union.target) { area throws in
                for number in 0..<8 {
                    #expect(try area.names("moved\(number)").count == 40)
                    #expect(try area.text("d\(number)/f20") == "lower \(number) 20\nmore\n")
                }
            }
            try expectConsistent(union)
        }
    }

    @Test("processes that fight over the same names leave a tree that makes sense")
    func together() throws {
        try withUnion(layers: Self.layers()) { union throws in
            // What one of these finds, another may take away: their failures mean nothing, their end does.
            let scripts = [
                "for i in $(seq 60); do mv d$((i % 10)) e$((i % 7)); mv e$((i % 7)) d$((i % 10)); done; true",
                "for i in $(seq 60); do echo x >> d$((i % 10))/f$((i % 50)); echo y > d$((i % 5))/new$i; done; true",
                "for i in $(seq 20); do find . -type f -size +1k; ls -lR; cat d*/f3; done; true",
                "for i in $(seq 60); do rm -f d$((i % 10))/f$((i % 50)); ln d1/f3 d$((i % 10))/hard$i; done; true",
                "for i in $(seq 30); do chmod -R g+w d$((i % 10)); chown -R 5 e$((i % 7)); done; true",
                "for i in $(seq 30); do rm -r d9; mkdir -p d9/x/y; echo z > d9/x/y/z; mv d9/x d8/x$i; done; true",
            ]
            let ends = try runTogether(union.target, scripts.map { "exec 2> /dev/null; " + $0 })
            #expect(ends.allSatisfy { $0 == .exited(0) }, "\(ends)")
            try expectConsistent(union)
            try Area.with(union.target) { area throws in
                for name in try area.names() { try area.root.removeTree(name) }
                #expect(try area.names() == [])
            }
        }
    }

    @Test("an archive is unpacked, copied, listed and removed by several at once")
    func archives() throws {
        try withUnion(layers: Self.layers()) { union throws in
            let ends = try runTogether(
                union.target,
                (0..<4).map { number in
                    """
                    set -e; mkdir copy\(number)
                    tar cf - d? | tar -C copy\(number) -xf -
                    diff -r d3 copy\(number)/d3; test $(find copy\(number) -type f | wc -l) = 495
                    cp -a copy\(number) again\(number); rm -r copy\(number)
                    test $(find again\(number) -type f | wc -l) = 495
                    """
                })
            #expect(ends.allSatisfy { $0 == .exited(0) }, "\(ends)")
            try expectConsistent(union)
        }
    }
}
