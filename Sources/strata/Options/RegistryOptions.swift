import ArgumentParser
import Distribution
import ImageStore
import OCI
import Registry

/// Options of the commands that talk to registries.
struct RegistryOptions: ParsableArguments {
    @Flag(
        name: .customLong("tls-verify"), inversion: .prefixedNo,
        help: "Demand that registries prove who they are; --tls-verify=false also tries plain HTTP.")
    var verifies = true

    @Flag(
        name: .customLong("disable-content-trust"), inversion: .prefixedNo,
        help: ArgumentHelp("Accepted; signatures of tags are not checked.", visibility: .hidden))
    var ignoresTrust = true

    /// What requests say of this program.
    static let userAgent = "strata/\(Version.number)"

    /// What the options and the environment say.
    var settings: RegistrySettings {
        var settings = RegistrySettings()
        settings.verifiesServer = verifies
        settings.userAgent = Self.userAgent
        return settings
    }
}
