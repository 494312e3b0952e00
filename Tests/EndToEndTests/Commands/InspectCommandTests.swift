import Testing

extension EndToEnd {
    /// `inspect` of all kinds of objects, with what Docker shows of them.
    @Suite(.serialized) struct InspectCommands {
        @Test func aContainerIsDescribedAsDockerDoes() throws {
            try Strata.testWithBusybox { strata in
                try strata(
                    "create", "--name", "app", "-it", "--rm", "-v", "store:/v", "-v", "\(strata.scratch):/h:ro",
                    "--cap-add", "net_admin", "-h", "there", "-l", "x=y", "busybox", "sh")
                func shown(_ template: String) throws -> String { try strata("inspect", "-f", template, "app") }
                #expect(try shown("{{.Config.Tty}} {{.Config.Image}} {{.Config.Hostname}}") == "true busybox there")
                let input = "{{.Config.AttachStdin}} {{.Config.OpenStdin}} {{.Config.StdinOnce}}"
                #expect(try shown(input) == "true true true")
                let lists = "{{json .HostConfig.Ulimits}} {{.HostConfig.CapAdd}} {{json .HostConfig.ExtraHosts}}"
                #expect(try shown(lists) == "[] [CAP_NET_ADMIN] null")
                let host = "{{.HostConfig.ShmSize}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.AutoRemove}}"
                #expect(try shown(host) == "67108864 no true")
                #expect(try shown("{{len .HostConfig.MaskedPaths}} {{json .ExecIDs}} {{.MountLabel}}") == "11 null ")
                #expect(
                    try shown("{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}};{{end}}")
                        .hasPrefix("volume store /v true;bind  /h false;"))
                let id = try shown("{{.Id}}")
                #expect(try shown("{{.HostsPath}}") == "\(strata.root)/containers/\(id)/hosts")
                try strata("create", "--name", "free", "--security-opt", "systempaths=unconfined", "busybox")
                try strata("run", "-di", "--name", "behind", "busybox", "cat")
                let output = "{{.Config.AttachStdout}} {{.Config.AttachStderr}}"
                #expect(try shown(output) == "true true")
                #expect(try strata("inspect", "-f", input + output, "behind") == "false true falsefalse false")
                #expect(["host", "private"].contains(try shown("{{.HostConfig.CgroupnsMode}}")))
                try strata("rm", "-f", "behind")
                let free = "{{json .HostConfig.MaskedPaths}} {{json .HostConfig.Binds}} {{.Config.Tty}}"
                #expect(try strata("inspect", "-f", free, "free") == "null null false")
                #expect(try strata("inspect", "-f", "{{json .SizeRw}}", "free") == "0")
                #expect(try !strata("inspect", "free").contains("SizeRw"))
                #expect(try strata("inspect", "-s", "free").contains("\"SizeRootFs\": "))
            }
        }

        @Test func anImageIsDescribedAsDockerDoes() throws {
            try Strata.testWithBusybox { strata in
                func shown(_ template: String) throws -> String { try strata("inspect", "-f", template, "busybox") }
                #expect(try shown("{{.Config.Tty}}|{{.Config.Image}}|{{json .Config.Env}}") == "false||null")
                let first = try shown("{{.Metadata.LastTagTime}}")
                #expect(first.contains(/^20\d\d-.*Z$/), "\(first)")
                try strata("tag", "busybox", "other")
                #expect(try shown("{{.Metadata.LastTagTime}}") > first)
                let unnamed = try strata("import", "-c", "ENV A=1", try Busybox.archive())
                #expect(try strata("inspect", "-f", "{{.Metadata}}", unnamed) == "{0001-01-01T00:00:00Z}")
            }
        }

        @Test func namesLeadToContainersThenImagesThenVolumes() throws {
            try Strata.testWithBusybox { strata in
                try strata("volume", "create", "busybox")
                try strata("volume", "create", "data")
                let volume = try strata("inspect", "-f", "{{.Name}} {{.Scope}} {{json .Labels}}", "data")
                #expect(volume == "data local null")
                #expect(try strata("inspect", "-f", "{{.Os}}", "busybox") == "linux")
                #expect(try strata("inspect", "--type", "volume", "-f", "{{.Driver}}", "busybox") == "local")
                try strata("create", "--name", "busybox", "busybox")
                #expect(try strata("inspect", "-f", "{{.Driver}} {{.Platform}}", "busybox") == "strata linux")
                #expect(try strata.failure(of: "inspect", "nobody", status: 1) == "No such object: nobody")
                try strata.failure(of: "inspect", "--type", "volume", "nobody", status: 1)
            }
        }

        @Test func factsHaveDockersNames() throws {
            try Strata.testWithBusybox { strata in
                let facts = try strata("info", "--format", "{{.Images}} {{.DockerRootDir}} {{.Driver}} {{.OSType}}")
                #expect(facts == "1 \(strata.root) strata linux")
                #expect(try strata("version", "--format", "{{.Os}} {{json .Version}}").hasPrefix("linux \""))
            }
        }
    }
}
