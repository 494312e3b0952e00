import Linux
import ImageStore
import OCI
import TestSupport
import Testing

extension EndToEnd {
    /// What one container does is nobody else's business.
    @Suite(.serialized) struct Isolation {
        @Test func containersOfOneImageDoNotSeeEachOther() throws {
            try Strata.testWithBusybox { strata in
                let layer = try strata("inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", "busybox")
                let before = try LayerArchiveWriter.summary(of: layer, marks: .trusted)
                // Each holds the file open for reading while it writes, so that lower and upper are both in use.
                let script = "exec 3< /data/file; echo $WHO > /data/file; echo $WHO > /$WHO; sleep 1000"
                for who in ["left", "right"] {
                    try strata("run", "-d", "--name", who, "-e", "WHO=\(who)", "busybox", "sh", "-c", script)
                }
                for who in ["left", "right"] {
                    let place = try strata.directory("see-\(who)")
                    try strata("mount", who, place)
                    try waitUntil { try Program.run(["/bin/cat", "\(place)/\(who)"]).status == 0 }
                    #expect(try Program.shell("cat '\(place)/data/file'") == "\(who)\n")
                    #expect(try Program.shell("ls '\(place)' | grep -cx 'left\\|right'") == "1\n")
                    try strata("umount", place)
                }
                #expect(try strata("run", "--rm", "busybox", "cat", "/data/file") == "from the image")
                #expect(try LayerArchiveWriter.summary(of: layer, marks: .trusted) == before)
                try strata("rm", "-f", "left", "right")
                #expect(try LayerArchiveWriter.summary(of: layer, marks: .trusted) == before)
            }
        }

        @Test func manyCommandsAtOnce() throws {
            try Strata.testWithBusybox { strata in
                let binary = try Strata.binary()
                let output = try Program.shell(
                    """
                    export STRATA_ROOT='\(strata.root)'
                    for i in 1 2 3 4 5 6; do
                        '\(binary)' run --rm busybox sh -c "echo $i > /data/file; sleep 0.2; cat /data/file" &
                        '\(binary)' ps -a > /dev/null &
                        '\(binary)' tag busybox copy:$i &
                    done
                    wait
                    """)
                #expect(output.split(separator: "\n").sorted() == ["1", "2", "3", "4", "5", "6"])
                #expect(try strata("ps", "-aq") == "")
                #expect(try strata("images", "-q", "copy").split(separator: "\n").count == 6)
            }
        }

        @Test func aKilledSupervisorLeavesNothing() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "-d", "--name", "orphan", "busybox", "sleep", "1000")
                let supervisor = try #require(strata.processes().first { $0.command.contains("internal-supervise") })
                try Program.shell("kill -9 \(supervisor.pid)")
                #expect(try strata("ps", "-q") == "")
                #expect(try strata("ps", "-a", "--format", "{{.Status}}").hasPrefix("Exited ("))
                try strata.expectOrder()
                #expect(try strata("start", "orphan") == "orphan")
                try strata("rm", "-f", "orphan")
            }
        }
    }
}
