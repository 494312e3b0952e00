import OCI
import Testing

@testable import Runtime

@Suite struct ParsingTests {
    @Test(arguments: [
        ("/host:/data", VolumeMount(source: .host("/host"), destination: "/data")),
        ("/host:/data:ro", VolumeMount(source: .host("/host"), destination: "/data", readOnly: true)),
        ("/host:/a/../b/.//c/", VolumeMount(source: .host("/host"), destination: "/b/c")),
        ("name:/data:rw", VolumeMount(source: .named("name"), destination: "/data")),
        ("/only", VolumeMount(source: .anonymous("fresh"), destination: "/only")),
    ])
    func volumes(_ text: String, _ expected: VolumeMount) throws {
        #expect(try VolumeMount.parse(text, makeName: { "fresh" }) == expected)
    }

    @Test(arguments: [
        "", "relative", "/host:relative", "/host:/", "/host:/..", "/a:/b:rx", "/a:/b:ro:x", ":/data", "x/y:/data",
        ".hidden:/data", "../up:/data",
    ])
    func badVolumes(_ text: String) {
        let error = #expect(throws: RuntimeError.self) { try VolumeMount.parse(text, makeName: { "fresh" }) }
        #expect(error?.code == .badOption)
    }

    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigquit", 3), ("9", 9), ("WINCH", 28), ("SIGRTMIN+3", 37), ("RTMAX-1", 63),
            ("USR1", 10),
        ] as [(String, Int32)])
    func signals(_ text: String, _ number: Int32) throws {
        #expect(try Signals.number(text) == number)
    }

    @Test(arguments: ["", "0", "65", "-1", "SIG", "NOSUCH", "RTMIN+99", "RTMIN+-1"])
    func badSignals(_ text: String) {
        #expect(throws: RuntimeError.self) { try Signals.number(text) }
    }

    @Test func mountOptionsAreEscaped() {
        let value = MountHelper.optionValue(
            lowers: ["/a:b", "/c,d"], upper: "/e\\f:g", work: "/w\"x", options: ["noatime"])
        #expect(value == #"lowerdir=/a\:b:/c\,d,upperdir=/e\\f:g,workdir=/w\"x,noatime"#)
    }

    @Test func mountTable() {
        let table = MountTable(
            text: """
                36 35 98:0 /mnt1 /mnt/with\\040space rw,noatime master:1 - ext3 /dev/root rw
                37 35 0:50 / /mnt/with\\040space/in rw - fuse.strata-fuse strata rw
                38 35 0:51 / /mnt rw shared:1 master:2 - tmpfs x\\134y rw
                nonsense
                """)
        #expect(table.entries.map(\.mountPoint) == ["/mnt/with space", "/mnt/with space/in", "/mnt"])
        #expect(table.mount(at: "/mnt/with space/in")?.type == "fuse.strata-fuse")
        #expect(table.mounts(below: "/mnt").map(\.mountPoint) == ["/mnt/with space/in", "/mnt/with space"])
        #expect(table.mounts(below: "/mn").isEmpty)
    }

    @Test func hostsKeepTheHostsNamesAndAddTheContainers() {
        #expect(
            HostFiles.hosts(host: "127.0.0.1 localhost\n10.0.0.1 db # main", hostname: "c1")
                == "127.0.0.1 localhost\n10.0.0.1 db # main\n127.0.1.1\tc1\n")
        #expect(HostFiles.hosts(host: "# c1 localhost\n", hostname: "c1").contains("127.0.1.1\tc1"))
        #expect(HostFiles.hosts(host: "", hostname: "c1").hasPrefix("127.0.0.1\tlocalhost\n"))
        #expect(HostFiles.hosts(host: "127.0.0.1 localhost c1\n", hostname: "c1") == "127.0.0.1 localhost c1\n")
    }
}

@Suite struct SettingsTests {
    private var image: ContainerConfiguration {
        var image = ContainerConfiguration()
        image.entrypoint = ["/entry"]
        image.cmd = ["default"]
        image.env = ["A=1", "B=2"]
        image.labels = ["x": "image", "y": "image"]
        image.volumes = ["/data", "/more/"]
        image.workingDir = "/w"
        return image
    }

    private func settings(_ change: (inout ContainerOptions) -> Void) throws(RuntimeError) -> ContainerSettings {
        var options = ContainerOptions()
        change(&options)
        return try ContainerSettings(image: image, options: options, makeName: { "fresh" })
    }

    @Test func aCommandReplacesTheImagesAndKeepsTheEntrypoint() throws {
        #expect(try settings { _ in }.arguments == ["/entry", "default"])
        #expect(try settings { $0.command = ["x", "y"] }.arguments == ["/entry", "x", "y"])
    }

    @Test func anEntrypointDropsTheImagesCommand() throws {
        #expect(try settings { $0.entrypoint = ["/other"] }.arguments == ["/other"])
        #expect(try settings { ($0.entrypoint, $0.command) = ([""], ["x"]) }.arguments == ["x"])
        let error = #expect(throws: RuntimeError.self) { try settings { $0.entrypoint = [] } }
        #expect(error?.code == .badOption)
    }

    @Test func environmentAndLabelsMerge() throws {
        let result = try settings {
            $0.environment = ["B=3", "C=4=5", "STRATA_SURELY_UNSET"]
            $0.labels = ["y": "own"]
        }.configuration
        #expect(result.env == ["A=1", "B=3", "C=4=5"])
        #expect(result.labels == ["x": "image", "y": "own"])
        #expect(throws: RuntimeError.self) { try settings { $0.environment = ["=x"] } }
    }

    @Test func volumesOfTheImageAreAnonymousUnlessGiven() throws {
        let volumes = try settings { $0.volumes = ["/host:/data"] }.volumes
        #expect(
            volumes == [
                VolumeMount(source: .host("/host"), destination: "/data"),
                VolumeMount(source: .anonymous("fresh"), destination: "/more"),
            ])
        #expect(throws: RuntimeError.self) { try settings { $0.volumes = ["/a:/x", "/b:/x/"] } }
    }

    @Test func theWorkingDirectoryMustBeAbsolute() throws {
        #expect(try settings { $0.workingDirectory = "/a/./b/" }.configuration.workingDir == "/a/b")
        #expect(throws: RuntimeError.self) { try settings { $0.workingDirectory = "a" } }
    }

    @Test func settingsSurviveTheCatalog() throws {
        let before = try settings { $0.volumes = ["named:/x:ro", "/y"] }
        #expect(try JSON.decode(ContainerSettings.self, from: try JSON.encode(before)) == before)
    }
}
