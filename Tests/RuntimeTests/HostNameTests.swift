import Linux
import OCI
import Testing

@testable import Runtime

/// Names that become lines of files of a container.
@Suite struct HostNameTests {
    private static let long = String(repeating: "a", count: 63)

    @Test(arguments: ["a", "web-1", "a.b.example", "0", "my_app", "A.B", long, "\(long).\(long).\(long)"])
    func goodNames(_ name: String) { #expect(HostName.isValid(name)) }

    @Test(arguments: [
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a\tb", "a\nb", "a\n10.0.0.1 evil", "a\u{0}", "a#b", "ä", "a/b",
        "\u{1b}[2J", "a\u{202e}", "\(long)a", "\(long).\(long).\(long).\(long)",
    ])
    func badNames(_ name: String) {
        #expect(!HostName.isValid(name))
        #expect(throws: RuntimeError.self) { try HostFiles.write(into: "/nonexistent", hostname: name) }
        #expect(throws: RuntimeError.self) {
            try HostFiles.write(
                into: "/nonexistent", hostname: "a", adding: [Isolation.Host(name: name, address: "10.0.0.1")])
        }
    }

    @Test(arguments: ["", "10.0.0.1\n10.0.0.2 evil", "10.0.0.1 more", "10.0.0.1#"])
    func badAddresses(_ address: String) {
        #expect(throws: RuntimeError.self) { try HostName.check(Isolation.Host(name: "a", address: address)) }
    }

    @Test func optionsAreCheckedBeforeAContainerIsMade() throws {
        var options = ContainerOptions()
        options.command = ["true"]
        for name in ["a\n10.0.0.1 evil", Self.long + ".a"] {
            options.hostname = name
            let error = #expect(throws: RuntimeError.self) {
                try ContainerSettings(image: ContainerConfiguration(), options: options) { "" }
            }
            #expect(error?.code == .badOption)
        }
        options.hostname = "good.example"
        #expect(
            try ContainerSettings(image: ContainerConfiguration(), options: options) { "" }.hostname == "good.example")
    }

    @Test func anImagesHostNameIsNotTheContainers() throws {
        var image = ContainerConfiguration()
        image.hostname = "a\n10.0.0.1 evil"
        var options = ContainerOptions()
        options.command = ["true"]
        #expect(try ContainerSettings(image: image, options: options) { "" }.hostname == nil)
    }

    @Test func textsOfAnImageWithANULAreRefused() throws {
        let good = Bundle.Command(
            arguments: ["true"], environment: ["A=b"], workingDirectory: "/", user: "0", hostname: "a")
        try good.check()
        for change: (inout Bundle.Command) -> Void in [
            { $0.arguments.append("a\u{0}b") }, { $0.environment.append("A=\u{0}") },
            { $0.workingDirectory = "/\u{0}" },
            { $0.user = "0\u{0}" },
        ] {
            var command = good
            change(&command)
            #expect(throws: RuntimeError.self) { try command.check() }
        }
    }
}
