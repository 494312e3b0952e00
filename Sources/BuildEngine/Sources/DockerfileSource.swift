import Dockerfile
import LayerTree
import Linux
import OCI

/// Where a Dockerfile is read from.
struct DockerfileSource {
    /// The name that errors have for it.
    let name: String
    private let place: Place

    private enum Place {
        /// Text that came without a file.
        case text([UInt8])
        /// A file that the user has named: it may be anywhere.
        case file(String)
        /// A file of a context, by its path there. Links, absolute ones too, do not lead out of the context.
        case context(String, path: String)
    }

    /// Finds the file that the options mean; it may turn out not to be there when it is read.
    ///
    /// A file that the user has named is taken as it is, relative to the working directory, unless the context came from
    /// elsewhere; one that is not there may be in the context, as Docker once had it. `Dockerfile` is in the context.
    init(_ options: BuildOptions) throws(BuildError) {
        switch options.dockerfile {
        case .text(let bytes): (name, place) = ("-", .text(bytes))
        case .file(let file):
            name = file
            if let context = options.context,
                options.remoteContext != nil || !file.hasPrefix("/") && !Self.exists(file)
            {
                place = .context(context, path: file)
            } else {
                place = .file(file)
            }
        case .standard:
            guard let context = options.context else {
                throw BuildError(
                    .noDockerfile, "the build has neither a Dockerfile nor a context", remedy: "name one with -f")
            }
            (name, place) = ("Dockerfile", .context(context, path: "Dockerfile"))
        }
    }

    private static func exists(_ file: String) -> Bool {
        FileDescriptor.currentDirectory.mayHave(file)
    }

    /// The content; `noDockerfile` where it cannot be read.
    func read() throws(BuildError) -> [UInt8] {
        switch place {
        case .text(let bytes): return bytes
        case .file(let path):
            do throws(Errno) {
                return try FileDescriptor.open(path).readAll(limit: 64 << 20)
            } catch {
                throw BuildError(
                    .noDockerfile, "cannot read the Dockerfile \(path): \(error)", remedy: Self.remedy(for: error))
            }
        case .context(let directory, let path):
            if let content = try Self.content(of: path, in: directory, limit: 64 << 20) { return content }
            throw BuildError(
                .noDockerfile, "cannot read the Dockerfile \(directory)/\(path): \(Errno.ENOENT)",
                remedy: Self.isLink(path, in: directory)
                    ? "a link must lead to a file of the context; name another file with -f" : Self.remedy(for: .ENOENT)
            )
        }
    }

    /// The patterns of the Dockerfile's own ignore file, which is beside it and has its name with `.dockerignore` added;
    /// nil where there is none.
    func ignorePatterns() throws(BuildError) -> IgnorePatterns? {
        switch place {
        case .text: return nil
        case .context(let directory, let path):
            return try Self.ignorePatterns(path + ".dockerignore", in: directory)
        case .file(let path):
            let path = path + ".dockerignore"
            let content: [UInt8]
            do throws(Errno) {
                content = try FileDescriptor.open(path, [.nonBlocking]).readAll(limit: 16 << 20)
            } catch {
                if error == .ENOENT || error == .ENOTDIR { return nil }
                throw BuildError("read \(path)", error)
            }
            return try fromDockerfile { () throws(DockerfileError) in
                try IgnorePatterns(parsing: content, file: path)
            }
        }
    }

    /// The patterns of an ignore file of a context, by its path there; nil where there is none.
    static func ignorePatterns(_ path: String, in directory: String) throws(BuildError) -> IgnorePatterns? {
        guard let content = try content(of: path, in: directory, limit: 16 << 20) else { return nil }
        return try fromDockerfile { () throws(DockerfileError) in try IgnorePatterns(parsing: content, file: path) }
    }

    /// The content of a file of a context, links resolved within it; nil where there is none.
    private static func content(of path: String, in directory: String, limit: Int) throws(BuildError) -> [UInt8]? {
        do throws(Errno) {
            return try TreeDirectory(directory: directory).readFile(TreePath.names(path), limit: limit)
        } catch {
            if error == .ENOENT || error == .ENOTDIR { return nil }
            let reason = error == .ESTALE ? "it is no regular file" : "\(error)"
            throw BuildError(.noDockerfile, "cannot read \(directory)/\(path): \(reason)", remedy: remedy(for: error))
        }
    }

    private static func isLink(_ path: String, in directory: String) -> Bool {
        let status = try? FileDescriptor.currentDirectory.status(of: "\(directory)/\(path)")
        return status?.isSymbolicLink == true
    }

    private static func remedy(for error: Errno) -> String? {
        error == .ENOENT ? "name it with -f, or build a directory that has one" : error.remedy
    }
}
