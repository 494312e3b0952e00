import Testing

extension EndToEnd {
    /// The options of `build` that are for the commands of `RUN`.
    @Suite(.serialized) struct BuildStepCommand {
        @Test func secretsReachCommandsAndNothingElse() throws {
            try Strata.testWithBusybox { strata in
                let value = "not to be found"
                try strata.write(value, to: "secret")
                try strata.write(
                    """
                    FROM busybox
                    RUN --mount=type=secret,id=token \
                        test "$(cat /run/secrets/token)" = "$(printf 'not to %s' 'be found')"

                    """, to: "context/Dockerfile")
                let build = try strata.run([
                    "build", "-t", "made", "--secret", "id=token,src=\(strata.scratch)/secret",
                    strata.scratch + "/context",
                ])
                #expect(build.status == 0, "\(build)")
                #expect(try !strata("history", "--no-trunc", "made").contains(value))
                #expect(try !strata("image", "inspect", "made").contains(value))
                let wrong = try strata.run(["build", "--secret", "src=/etc/passwd", strata.scratch + "/context"])
                #expect(wrong.status != 0)
                #expect(wrong.errors.contains("it has no id"))
            }
        }

        @Test func networksHostsAndLimits() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write(
                    "FROM busybox\nRUN cat /etc/hosts; ulimit -n; tail -n +3 /proc/net/dev | cut -d: -f1; df /dev/shm\n",
                    to: "context/Dockerfile")
                let build = try strata.run([
                    "build", "--progress", "plain", "--network", "none", "--add-host", "mirror:10.1.2.3", "--shm-size",
                    "2m", "--ulimit", "nofile=77:99", context,
                ])
                #expect(build.status == 0, "\(build)")
                #expect(build.errors.contains(/10\.1\.2\.3\tmirror/))
                #expect(build.errors.contains(" 77\n"))
                #expect(build.errors.contains(/\blo\n/) && !build.errors.contains("eth0"))
                #expect(build.errors.contains(/shm +2048\b/))
                for (flag, value) in [
                    ("--network", "bridge"), ("--add-host", "mirror"), ("--ulimit", "nofile"), ("--shm-size", "much"),
                    ("--allow", "everything"), ("--secret", "id=x,src=/nowhere"), ("--ssh", "x=/nowhere"),
                ] {
                    let wrong = try strata.run(["build", flag, value, context])
                    #expect(wrong.status != 0 && wrong.errors.split(separator: "\n").count == 1, "\(flag): \(wrong)")
                }
            }
        }

        @Test func insecureNeedsPermission() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write("FROM busybox\nRUN --security=insecure true\n", to: "context/Dockerfile")
                let refused = try strata.run(["build", context])
                #expect(refused.status != 0 && refused.errors.contains("--allow security.insecure"))
                #expect(try strata.run(["build", "--allow", "security.insecure", context]).status == 0)
            }
        }
    }
}
