import Linux

/// Where a Dockerfile is read from.
struct DockerfileSource {
    /// The name that errors have for it.
    let name: String
    /// Its path; nil for text that came without one.
    let path: String?
    private let text: [UInt8]?
    /// The directory that links must not lead out of, if the context came from elsewhere; the path is below it.
    private var confinement: String?

    /// Finds the file that the options mean; it may turn out not to be there when it is read.
    init(_ options: BuildOptions) throws(BuildError) {
        if options.remoteContext != nil, let context = options.context {
            switch options.dockerfile {
            case .text(let bytes): (name, path, text) = ("-", nil, bytes)
            case .file(let file): (name, path, text) = (file, file, nil)
            case .standard: (name, path, text) = ("Dockerfile", "Dockerfile", nil)
            }
            confinement = context
            return
        }
        switch options.dockerfile {
        case .text(let bytes):
            (name, path, text) = ("-", nil, bytes)
        case .file(let file):
            // Relative to the working directory, as for any program; relative to the context, as Docker once had it.
            var found = file
            if !file.hasPrefix("/"), let context = options.context,
                (try? FileDescriptor.currentDirectory.statusIfPresent(of: file)) == .some(.none)
            {
                found = "\(context)/\(file)"
            }
            (name, path, text) = (file, found, nil)
        case .standard:
            guard let context = options.context else {
                throw BuildError(
                    .noDockerfile, "the build has neither a Dockerfile nor a context", remedy: "name one with -f")
            }
            (name, path, text) = ("Dockerfile", "\(context)/Dockerfile", nil)
        }
    }

    /// The content; `noDockerfile` where it cannot be read.
    func read() throws(BuildError) -> [UInt8] {
        if let text { return text }
        let path = path ?? name
        do throws(Errno) {
            if let confinement {
                let names = TreePath.names(path)
                let content = try TreeDirectory(directory: confinement).readFile(names, limit: 64 << 20)
                guard let content else { throw Errno.ENOENT }
                return content
            }
            return try FileDescriptor.open(path).readAll(limit: 64 << 20)
        } catch {
            throw BuildError(
                .noDockerfile, "cannot read the Dockerfile \(path): \(error)",
                remedy: error == .ENOENT ? "name it with -f, or build a directory that has one" : nil)
        }
    }
}
