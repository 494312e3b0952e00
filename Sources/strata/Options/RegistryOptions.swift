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

    /// What the options and the environment say.
    var settings: RegistrySettings {
        var settings = RegistrySettings()
        settings.verifiesServer = verifies
        settings.userAgent = "strata/\(Version.number)"
        return settings
    }
}
