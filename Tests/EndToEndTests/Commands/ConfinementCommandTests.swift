import Testing

extension EndToEnd {
    /// The options of `run` and `create` that say what a container may do, use and reach.
    @Suite(.serialized) struct ConfinementCommands {
        @Test func optionsAreKeptAndShown() throws {
            try Strata.testWithBusybox { strata in
                try strata(
                    "create", "--name", "tight", "--cap-add", "net_admin", "--cap-drop", "CAP_CHOWN",
                    "--cap-drop=mknod",
                    "--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined", "--read-only",
                    "-m", "64m", "--memory-swap", "-1", "--memory-reservation=32m", "--cpus", "0.5", "-c", "512",
                    "--cpuset-cpus", "0", "--pids-limit", "64", "--network", "none", "busybox", "sh", "-c",
                    "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; touch /x || cat /sys/fs/cgroup/pids/pids.max")
                let format = """
                    {{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{json .HostConfig.SecurityOpt}} \
                    {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} \
                    {{.HostConfig.MemoryReservation}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} \
                    {{.HostConfig.CpusetCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.NetworkMode}} \
                    {{range $name, $network := .NetworkSettings.Networks}}{{$name}}{{end}}
                    """
                #expect(
                    try strata("inspect", "-f", format, "tight") == """
                        ["CAP_NET_ADMIN"] ["CAP_CHOWN","CAP_MKNOD"] ["no-new-privileges","seccomp=unconfined"] \
                        true 67108864 -1 33554432 500000000 512 0 64 none none
                        """)
                for _ in 1...2 {
                    let outcome = try strata.run(["start", "-a", "tight"])
                    #expect(outcome.output == "NoNewPrivs:\t1\nSeccomp:\t0\n64\n", "\(outcome)")
                }
                try strata("create", "--name", "usual", "--pids-limit", "-1", "busybox")
                #expect(
                    try strata("inspect", "-f", "{{json .HostConfig.PidsLimit}} {{json .HostConfig.CapAdd}}", "usual")
                        == "null null")
            }
        }

        @Test func portsAreNotLostSilently() throws {
            try Strata.testWithBusybox { strata in
                for ports in ["8080:80", "127.0.0.1:80:80", "80-90:80"] {
                    let message = try strata.failure(of: "run", "--rm", "-p", ports, "busybox", "true", status: 125)
                    #expect(message.contains("cannot publish \(ports)"))
                }
                let wrong = try strata.failure(of: "create", "-p", "80:http", "busybox", status: 125)
                #expect(wrong.contains("invalid containerPort: http"))
                #expect(try strata("ps", "-aq") == "", "nothing was made")
                for (arguments, remark) in [
                    (["-p", "80:80"], "has the host's network"), (["-P"], "has the host's network"),
                    (["-p", "8080:80", "--network", "host"], "discarded when using host network mode"),
                    (["-p", "8080:80", "--network", "none"], "discarded"),
                ] {
                    let outcome = try strata.run(["run", "--rm"] + arguments + ["busybox", "echo", "ran"])
                    #expect(outcome.status == 0 && outcome.output == "ran\n", "\(outcome)")
                    let complaints = outcome.errors.split(separator: "\n")
                    #expect(complaints.count == 1 && complaints[0].contains(remark), "\(outcome)")
                }
            }
        }

        @Test func whatMakesNoSenseIsRefusedInOneLine() throws {
            try Strata.testWithBusybox { strata in
                for (option, value, message) in [
                    ("--cap-add", "flying", "unknown capability: \"CAP_FLYING\""),
                    ("--security-opt", "what", "invalid --security-opt: \"what\""),
                    ("--security-opt", "what=ever", "invalid --security-opt: \"what=ever\""),
                    ("--security-opt", "seccomp=/nosuch", "opening seccomp profile (/nosuch) failed"),
                    ("--security-opt", "seccomp=/etc/passwd", "Decoding seccomp profile failed"),
                    ("--memory", "5m", "Minimum memory limit allowed is 6MB"), ("-m", "much", "invalid size"),
                    ("--memory-swap", "8m", "You should always set the Memory limit"), ("--cpus", "x", "--cpus"),
                    ("--cpus", "10000", "range of CPUs"), ("--cpus", "-1", "range of CPUs"),
                    ("--pids-limit", "some", "pids-limit"),
                    ("--cpuset-cpus", "x", "Invalid value x"), ("--network", "bridge", "\"bridge\" is not supported"),
                ] {
                    let said = try strata.failure(of: "run", "--rm", option, value, "busybox", "true", status: 125)
                    #expect(said.contains(message), "\(option) \(value): \(said)")
                }
                #expect(try strata("ps", "-aq") == "", "nothing was made")
            }
        }

        @Test func memoryAndProcessesEndAtTheirLimits() throws {
            try Strata.testWithBusybox { strata in
                let greedy = try strata.run([
                    "run", "--rm", "-m16m", "--memory-swap=16m", "busybox", "dd", "if=/dev/zero", "of=/dev/null",
                    "bs=64M", "count=1",
                ])
                #expect(greedy.status == 137, "\(greedy)")
                let bomb = try strata.run([
                    "run", "--rm", "--pids-limit", "10", "busybox", "sh", "-c",
                    "for i in $(seq 30); do sleep 100 & done; echo all",
                ])
                #expect(bomb.status != 0 && bomb.output == "", "\(bomb)")
            }
        }
    }
}
