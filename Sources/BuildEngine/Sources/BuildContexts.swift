import ImageStore
import Synchronization

/// The contexts of a build: the one that it is given, and those of `--build-context`. Each is opened when it is first
/// needed.
final class BuildContexts: Sendable {
    private typealias Open = (context: BuildContext, files: FileDigests)

    /// The build context; nil for a build without one.
    private let directory: String?
    private let dockerfile: DockerfileSource
    /// The store's directory, which is never part of a context.
    private let store: String
    private let digests: DigestMemory
    private let opened = Mutex<Open?>(nil)
    /// Those of `--build-context`, by directory.
    private let named = Mutex<[String: Open]>([:])

    init(_ options: BuildOptions, _ dockerfile: DockerfileSource, store: ImageStore, digests: DigestMemory) {
        directory = options.context
        self.dockerfile = dockerfile
        self.store = store.root
        self.digests = digests
    }

    /// The files of the build context.
    func files() throws(BuildError) -> SourceFiles {
        guard let directory else {
            throw BuildError(
                .noContext, "the build has no context to copy files from", remedy: "give a directory to build from")
        }
        let (context, files) = try opened.withLock { (opened: inout Open?) throws(BuildError) in
            if let opened { return opened }
            let new = try open(directory, dockerfile)
            opened = new
            return new
        }
        return SourceFiles(tree: context.tree, digests: files, directories: [directory])
    }

    /// The files of a directory of `--build-context`.
    func files(in directory: String) throws(BuildError) -> SourceFiles {
        let (context, files) = try named.withLock { (known: inout [String: Open]) throws(BuildError) in
            if let opened = known[directory] { return opened }
            let new = try open(directory, nil)
            known[directory] = new
            return new
        }
        return SourceFiles(tree: context.tree, digests: files, directories: [directory])
    }

    private func open(_ directory: String, _ dockerfile: DockerfileSource?) throws(BuildError) -> Open {
        let context = try BuildContext(directory: directory, dockerfile: dockerfile, store: store)
        return (context, try digests.files(of: context))
    }

    /// Remembers what the build learnt of the files.
    func rememberDigests() {
        let all = [opened.withLock { $0 }].compactMap { $0 } + named.withLock { Array($0.values) }
        for (context, files) in all { try? digests.put(files, of: context) }
    }
}
