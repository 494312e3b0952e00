import Dockerfile
import OCI

extension BuildArguments {
    /// What a build gives its Dockerfile: the caller's arguments, and those that are there for every Dockerfile.
    ///
    /// - Parameter document: nil for one that cannot be read.
    init(_ options: BuildOptions, _ document: DockerfileDocument?) {
        let (target, host) = (options.platform ?? .current, Platform.current)
        let stage = options.target ?? document?.stages.last?.name ?? ""
        self.init(
            given: options.buildArguments,
            predefined: [
                "TARGETPLATFORM": target.description, "TARGETOS": target.os, "TARGETARCH": target.architecture,
                "TARGETVARIANT": target.variant ?? "", "BUILDPLATFORM": host.description, "BUILDOS": host.os,
                "BUILDARCH": host.architecture, "BUILDVARIANT": host.variant ?? "", "TARGETOSVERSION": "",
                "BUILDOSVERSION": "", "TARGETSTAGE": document == nil || stage.isEmpty ? "default" : stage,
            ])
    }
}
