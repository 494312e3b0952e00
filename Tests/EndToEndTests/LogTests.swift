import TestSupport
import Testing

extension EndToEnd {
    /// What `--log-level` and `STRATA_LOG` report.
    @Suite struct LogTests {
        @Test("nothing is reported unless it is asked for; then programs, mounts and the cache's answers are")
        func levels() throws {
            try Strata.testWithBusybox { strata in
                let quiet = try strata.run(["run", "--rm", "busybox", "true"])
                #expect(quiet.status == 0 && quiet.errors == "", "\(quiet)")
                let run = try strata.run(["--log-level", "debug", "run", "--rm", "busybox", "echo", "x"])
                #expect(run.status == 0 && run.output == "x\n", "\(run)")
                let line = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z debug Runtime: .*/#
                #expect(run.errors.split(separator: "\n").allSatisfy { $0.wholeMatch(of: line) != nil }, "\(run)")
                #expect(
                    run.errors.contains("run a program arguments=") && run.errors.contains(" run --detach"), "\(run)")
                #expect(run.errors.contains("mount a union at="), "\(run)")
                let warnings = try strata.run(["run", "--rm", "--log-level=warning", "busybox", "true"])
                #expect(warnings.errors == "", "\(warnings)")
                let named = try strata.run(["run", "--rm", "busybox", "true"], environment: ["STRATA_LOG": "DEBUG"])
                #expect(named.errors.contains("run a program"), "\(named)")
                try strata.write("FROM busybox\nRUN true\n", to: "context/Dockerfile")
                let build = ["build", "-q", "--log-level", "debug", strata.scratch + "/context"]
                #expect(try strata.run(build).errors.contains("the cache has not a step instruction=RUN true"))
                #expect(try strata.run(build).errors.contains("the cache has a step instruction=RUN true"))
                let refusal = try strata.failure(of: "ps", "--log-level", "loud", status: 1)
                #expect(refusal.hasPrefix("invalid log level \"loud\""), "\(refusal)")
            }
        }

        @Test("requests to registries are reported with their statuses, and no password, token or header")
        func requests() throws {
            try DebianRegistry.test(user: ("me", "very-secret")) { registry in
                try Strata.testWithBusybox { strata in
                    let name = "\(registry.domain)/box:1"
                    try strata("tag", "busybox", name)
                    let home = ["DOCKER_CONFIG": try strata.directory("docker"), "STRATA_LOG": "trace"]
                    let login = try strata.run(
                        ["login", "-u", "me", "--password-stdin", registry.domain], input: "very-secret",
                        environment: home)
                    #expect(login.status == 0, "\(login)")
                    let push = try strata.run(["push", name], environment: home)
                    #expect(push.status == 0 && push.errors.contains("debug Registry: request method="), "\(push)")
                    #expect(push.errors.contains("outcome=201"), "\(push)")
                    for text in [login.errors, push.errors] {
                        #expect(
                            !text.contains("very-secret") && !text.lowercased().contains("authorization"), "\(text)")
                        #expect(!text.contains("bWU6dmVyeS1zZWNyZXQ="), "\(text)")
                    }
                }
            }
        }
    }
}
