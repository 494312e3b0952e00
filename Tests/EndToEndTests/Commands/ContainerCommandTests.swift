import Testing

extension EndToEnd {
    /// `create`, `run`, `start`, `stop`, `ps`, `logs`, `rm` and their like.
    @Suite(.serialized) struct ContainerCommands {
        @Test func exitStatusesAreDockers() throws {
            try Strata.testWithBusybox { strata in
                #expect(try strata("run", "--rm", "busybox", "echo", "hello") == "hello")
                #expect(try strata.run(["run", "--rm", "busybox", "sh", "-c", "exit 42"]).status == 42)
                #expect(
                    try strata.run(["run", "--rm", "busybox", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"]).status == 137)
                try strata.failure(of: "run", "--rm", "busybox", "nosuch", status: 127)
                try strata.failure(of: "run", "--rm", "busybox", "/etc/passwd", status: 126)
                try strata.failure(of: "run", "nosuch", status: 125)
                try strata.failure(of: "run", "--frobnicate", "busybox", status: 125)
                try strata.failure(of: "create", status: 125)
                #expect(try strata("ps", "-aq") == "")
            }
        }

        @Test func optionsReachTheContainer() throws {
            try Strata.testWithBusybox { strata in
                let script = "echo $A $B; pwd; id -u; id -g; hostname; cat /h/f; echo > /h/x && echo no"
                try strata.write("from the host\n", to: "host/f")
                let variables = try strata.write("# remark\nB=two words\n", to: "variables")
                let outcome = try strata.run([
                    "run", "--rm", "-e", "A=1", "--env-file", variables, "-w", "/data", "-u", "app", "-h", "there",
                    "-v",
                    "\(strata.scratch)/host:/h:ro", "busybox", "sh", "-c", script,
                ])
                #expect(
                    outcome.lines == ["1 two words", "/data", "1000", "1001", "there", "from the host"], "\(outcome)")
                #expect(try strata("run", "--rm", "--entrypoint", "echo", "busybox", "-n", "x") == "x")
                #expect(try strata.run(["run", "--rm", "-i", "busybox", "cat"], input: "typed").output == "typed")
                #expect(try strata.run(["run", "--rm", "busybox", "cat"], input: "typed").output == "")
                let both = try strata.run(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2"])
                #expect(both.output == "out\n" && both.errors == "err\n")
            }
        }

        @Test func aDetachedContainerLivesUntilItIsStopped() throws {
            try Strata.testWithBusybox { strata in
                let script = "trap 'echo bye; exit 3' TERM; echo one; echo two; while :; do sleep 0.05; done"
                let id = try strata("run", "-d", "--name", "server", "busybox", "sh", "-c", script)
                #expect(id.count == 64)
                #expect(
                    try strata("ps", "--format", "{{.ID}} {{.Names}} {{.State}}") == "\(id.prefix(12)) server running")
                #expect(try strata("ps").contains(#""sh -c trap 'echo by…""#))
                #expect(try strata("inspect", "-f", "{{.State.Running}}", "server") == "true")
                let message = try strata.failure(of: "rm", "server", status: 1)
                #expect(message.contains("container is running"))
                try strata.failure(of: "run", "--name", "server", "busybox", status: 125)
                try strata.failure(of: "rmi", "busybox", status: 1)
                #expect(try strata("stop", "server") == "server")
                #expect(try strata("ps", "-q") == "")
                #expect(try strata("ps", "-a", "--format", "{{.Status}}").hasPrefix("Exited (3) "))
                #expect(try strata("wait", "server") == "3")
                #expect(try strata("logs", "server") == "one\ntwo\nbye")
                #expect(try strata("logs", "-n", "1", "server") == "bye")
                let line = try strata("logs", "-t", "--tail", "1", "server")
                #expect(line.contains(/^\d{4}-\d\d-\d\dT[0-9:]+\.[0-9]{9}Z bye$/))
                #expect(try strata("logs", "--since", "1h", "server") == "one\ntwo\nbye")
                #expect(try strata("logs", "--until", "1h", "server") == "")
                #expect(try strata("rm", "server") == "server")
                #expect(try Program.shell("ls '\(strata.root)/containers' | wc -l") == "0\n")
            }
        }

        @Test func whatAContainerWroteStaysUntilItIsRemoved() throws {
            try Strata.testWithBusybox { strata in
                let id = try strata("create", "--name", "keeper", "busybox", "sh", "-c", "date >> /log; wc -l < /log")
                #expect(try strata("ps", "-a", "--format", "{{.Status}}") == "Created")
                #expect(try strata("start", "-a", "keeper") == "1")
                #expect(try strata("start", "-a", String(id.prefix(8))) == "2")
                #expect(try strata("restart", "keeper") == "keeper")
                #expect(try strata("wait", "keeper") == "0")
                #expect(try strata("logs", "keeper") == "1\n2\n3")
                try strata("rename", "keeper", "kept")
                try strata.failure(of: "start", "keeper", status: 1)
                #expect(try strata("diff", "kept") == "A /log")
                #expect(try strata("rm", "kept") == "kept")
            }
        }

        @Test func followsALog() throws {
            try Strata.testWithBusybox { strata in
                try strata(
                    "run", "-d", "--name", "talker", "busybox", "sh", "-c",
                    "for i in 1 2 3; do echo $i; sleep 0.2; done; echo end >&2")
                let outcome = try strata.run(["logs", "-f", "talker"])
                #expect(outcome.output == "1\n2\n3\n")
                #expect(outcome.errors == "end\n")
            }
        }

        @Test func killsAndForces() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "-d", "--name", "one", "busybox", "sleep", "1000")
                #expect(try strata("kill", "one") == "one")
                #expect(try strata("ps", "-a", "--format", "{{.Status}}").hasPrefix("Exited (137)"))
                try strata.failure(of: "kill", "one", status: 1)
                #expect(try strata("start", "one") == "one")
                #expect(try strata("stop", "-t", "0", "one") == "one")
                try strata("start", "one")
                #expect(try strata("rm", "-f", "one") == "one")
                let gone = try strata.run(["rm", "-f", "one"])
                #expect(gone.status == 0 && gone.errors == "strata: No such container: one\n")
                try strata("run", "-d", "--rm", "--name", "brief", "busybox", "true")
                #expect(try strata.run(["wait", "brief"]).status <= 1)
                #expect(try strata("ps", "-aq") == "")
            }
        }

        @Test func filtersAndColumnsOfPs() throws {
            try Strata.testWithBusybox { strata in
                let failed = try strata.run(["run", "--name", "first", "-l", "a=b", "busybox", "sh", "-c", "exit 2"])
                #expect(failed.status == 2)
                try strata("run", "-d", "--name", "second", "busybox", "sleep", "1000")
                func names(_ arguments: String...) throws -> String {
                    let outcome = try strata.run(["ps", "--format", "{{.Names}}"] + arguments)
                    #expect(outcome.status == 0, "\(outcome)")
                    return outcome.lines.joined(separator: ",")
                }
                #expect(try names() == "second")
                #expect(try names("-a") == "second,first")
                #expect(try names("-l") == "second")
                #expect(try names("-n", "1") == "second")
                #expect(try names("-n", "5") == "second,first")
                #expect(try names("--filter", "status=exited") == "first")
                #expect(try names("--filter", "exited=2") == "first")
                #expect(try names("-a", "--filter", "name=sec") == "second")
                #expect(try names("-a", "--filter", "label=a=b") == "first")
                #expect(try names("-a", "--filter", "ancestor=busybox") == "second,first")
                #expect(try names("-a", "--filter", "before=second") == "first")
                let heading = try strata("ps", "-a").split(separator: "\n")[0].split(separator: /\ \ +/)
                #expect(heading == ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"])
                #expect(try strata("ps", "-as").contains("(virtual "))
                try strata.failure(of: "ps", "--filter", "status=flying", status: 1)
                #expect(try names("-a", "-n", "0") == "second,first")
                #expect(try names("-a", "--filter", "name=^sec$") == "")
                #expect(try names("-a", "--filter", "name=^second$") == "second")
                #expect(try names("-a", "--filter", "name=^/sec") == "second")
                #expect(try names("-a", "--filter", "name=^s.*d$", "--filter", "name=ir") == "second,first")
                #expect(try names("-a", "--filter", "name=s", "--filter", "status=exited") == "first")
                #expect(try names("--filter", "exited=1", "--filter", "exited=2") == "first")
                #expect(try names("-a", "--filter", "label=a=b", "--filter", "label=c") == "")
                #expect(try names("-a", "--filter", "ancestor=nosuch") == "")
                let either = try names("-a", "--filter", "ancestor=nosuch", "--filter", "ancestor=busybox")
                #expect(either == "second,first")
                let id = try strata("inspect", "-f", "{{.Id}}", "first")
                #expect(try names("-a", "--filter", "id=\(id.prefix(6))") == "first")
                #expect(try names("-a", "--filter", "id=\(id.dropFirst(3).prefix(20))") == "")
                try strata("create", "--name", "alone", "--network", "none", "-v", "store:/s", "busybox")
                #expect(try names("-a", "--filter", "network=none") == "alone")
                #expect(try names("-a", "--filter", "network=host", "--filter", "network=x") == "second,first")
                #expect(try names("-a", "--filter", "volume=store", "--filter", "volume=/nowhere") == "alone")
                #expect(try names("-a", "--filter", "health=healthy") == "")
                #expect(try names("-a", "--filter", "health=none", "--filter", "name=alone") == "alone")
                try strata.failure(of: "ps", "--filter", "health=good", status: 1)
                let broken = try strata.failure(of: "ps", "--filter", "name=(", status: 1)
                #expect(broken.hasPrefix("invalid filter \"name=(\" (give a regular"), "\(broken)")
                let unknown = try strata.failure(of: "ps", "--filter", "colour=red", status: 1)
                #expect(unknown.contains("use id, name, label, status"), "\(unknown)")
                #expect(try strata.failure(of: "ps", "--filter", "name", status: 1).contains("key=value"))
                try strata("rm", "-f", "second")
            }
        }

        @Test func commitsWithConfigurationAndHistory() throws {
            try Strata.testWithBusybox { strata in
                try strata(
                    "run", "--name", "editor", "-e", "A=1", "busybox", "sh", "-c",
                    "echo new > /data/file; rm /etc/group")
                #expect(try strata("diff", "editor") == "C /data\nC /data/file\nC /etc\nD /etc/group")
                let id = try strata(
                    "commit", "-m", "a message", "-a", "an author", "-c", #"CMD ["cat", "/data/file"]"#, "editor",
                    "edited:1")
                #expect(try strata("images", "-q", "--no-trunc", "edited") == id)
                #expect(try strata("run", "--rm", "edited:1") == "new")
                #expect(try strata.run(["run", "--rm", "edited:1", "ls", "/etc/group"]).status == 1)
                #expect(try strata("inspect", "-f", "{{.Author}}|{{.Comment}}", "edited:1") == "an author|a message")
                let history = try strata("history", "--format", "{{.ID}} {{.Comment}}", "edited:1").split(
                    separator: "\n")
                #expect(history.count == 2 && history[0] == "\(id.dropFirst(7).prefix(12)) a message")
                #expect(try strata("run", "--rm", "busybox", "cat", "/data/file") == "from the image")
            }
        }

        @Test func executesFurtherCommands() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "-d", "--name", "host", "-e", "A=1", "busybox", "sleep", "1000")
                let script = "echo $A $B; pwd; id -u; cat; exit 5"
                let outcome = try strata.run(
                    ["exec", "-i", "-e", "B=2", "-w", "/data", "-u", "app", "host", "sh", "-c", script],
                    input: "typed\n")
                #expect(outcome.status == 5)
                #expect(outcome.lines == ["1 2", "/data", "1000", "typed"], "\(outcome)")
                #expect(try strata("exec", "host", "ps").contains("sleep 1000"))
                try strata.failure(of: "exec", "host", "nosuch", status: 127)
                try strata.failure(of: "exec", "host", status: 1)
                try strata("stop", "-t", "0", "host")
                try strata.failure(of: "exec", "host", "true", status: 1)
                #expect(try strata("diff", "host") == "")
            }
        }

        @Test func volumesOutliveContainers() throws {
            try Strata.testWithBusybox { strata in
                try strata("run", "--rm", "-v", "store:/data", "busybox", "sh", "-c", "echo more >> /data/file")
                #expect(
                    try strata("run", "--rm", "-v", "store:/x", "busybox", "cat", "/x/file") == "from the image\nmore")
                #expect(try strata("run", "--rm", "busybox", "cat", "/data/file") == "from the image")
                let volumes = try strata("system", "df", "--format", "{{.Type}} {{.TotalCount}}")
                #expect(volumes.contains("Local Volumes 1"))
            }
        }

        @Test func volumesAreMadeListedAndShown() throws {
            try Strata.testWithBusybox { strata in
                #expect(try strata("volume", "create", "data") == "data")
                #expect(try strata("volume", "create", "data") == "data")
                let anonymous = try strata("volume", "create")
                #expect(anonymous.count == 64)
                try strata.failure(of: "volume", "create", "../data", status: 1)
                try strata.failure(of: "volume", "create", "-d", "nfs", "other", status: 1)
                let place = "\(strata.root)/volumes/data"
                #expect(
                    try strata("volume", "inspect", "-f", "{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}}", "data")
                        == "data local local \(place)")
                try strata.failure(of: "volume", "inspect", "nosuch", status: 1)
                try strata.failure(of: "volume", "inspect", "../containers", status: 1)
                try strata("create", "--name", "user", "-v", "data:/x", "busybox")
                func names(_ filter: String) throws -> String { try strata("volume", "ls", "-q", "-f", filter) }
                #expect(try names("dangling=true") == anonymous && names("dangling=false") == "data")
                #expect(try names("name=at") == "data" && names("driver=local").contains(anonymous))
                try strata.failure(of: "volume", "ls", "-f", "dangling=perhaps", status: 1)
                #expect(try strata("volume", "ls", "--filter", "name=data", "--format", "{{.Mountpoint}}") == place)
            }
        }

        @Test func aTerminalIsATerminal() throws {
            try Strata.testWithBusybox { strata in
                let binary = try Strata.binary()
                let command = "\(binary) --root \(strata.root) run --rm -it busybox sh -c 'tty; stty size; echo done'"
                let output = try Program.shell("script -qec \"\(command)\" /dev/null < /dev/null")
                #expect(output.contains("/dev/pts/0") && output.contains("done"))
                try strata.failure(of: "run", "--rm", "-it", "busybox", "true", status: 1)
            }
        }
    }
}
