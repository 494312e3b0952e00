import ArgumentParser
import Engine

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

    /// What the options say.
    var access: RegistryAccess {
        var access = RegistryAccess()
        access.verifiesServer = verifies
        return access
    }
}
