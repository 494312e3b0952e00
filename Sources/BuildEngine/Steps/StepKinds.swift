import Dockerfile
import ImageStore
import OCI
import Runtime

/// Makes the step of each instruction that works on files.
struct StepKinds: Sendable {
    let options: BuildOptions
    /// `--build-arg`, those of proxies included.
    let givenArguments: [String: String]
    let sources: BuildSources
    let digests: DigestMemory
    let caches: CacheMountHolder
    let commands: CommandRunner
    let store: ImageStore
    let stop: StopCheck

    /// The step of an instruction whose variables are expanded; nil for one that only changes the configuration.
    func step(of operation: Instruction.Operation, in state: StageState) -> (any BuildStep)? {
        switch operation {
        case .run(let run):
            RunStep(
                run: run, options: options, givenArguments: givenArguments, sources: sources, digests: digests,
                caches: caches, commands: commands)
        case .copy(let copy): CopyStep(copy: copy, sources: sources, maker: maker)
        case .add(let add): AddStep(add: add, download: options.download, sources: sources, maker: maker)
        case .workingDirectory(let path):
            WorkingDirectoryStep(directory: ContainerPath.normalized(state.absolute(path)), store: store)
        default: nil
        }
    }

    private var maker: TransferMaker { TransferMaker(store: store, digests: digests, stop: stop) }
}
