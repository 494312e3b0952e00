import Dockerfile
import FoundationEssentials
import OCI

// What explanations of the cache need of each kind of step.

extension StepDescription {
    /// Of a `RUN`.
    init(
        arguments: [String], user: String, directory: String, buildArguments: [String], environment: [String],
        mounts: StepMounts, host: [[String]]
    ) {
        self.init(instruction: "")
        parts.append(Part("command", hidden: arguments.joined(separator: "\0")))
        parts.append(Part("user", shown: user))
        parts.append(Part("working directory", shown: directory))
        add(buildArguments, as: "build argument")
        add(environment, as: "variable")
        for item in mounts.items {
            parts.append(Part(item.title, hidden: item.definition.joined(separator: "\0")))
        }
        if !host.isEmpty {
            let text = host.map { $0.joined(separator: "\0") }.joined(separator: "\0")
            parts.append(Part("network, memory, hosts or limits of commands", hidden: text))
        }
    }

    /// Of a `COPY` or `ADD`.
    ///
    /// - Parameter origin: the stage or image whose files are copied; nil for files of a context, which are told one by
    ///   one.
    init(
        _ files: FileTransfer, to destination: String, owner: String, from origin: String?, _ content: CopiedContent
    ) {
        self.init(instruction: "")
        parts.append(Part("destination", shown: destination))
        parts.append(Part("owner", shown: owner))
        parts.append(Part("mode", shown: files.mode ?? ""))
        let sources = files.sources.map { source in
            switch source {
            case .path(let path): path
            case .heredoc(let heredoc): "<<\(heredoc.name)"
            }
        }
        parts.append(Part("list of sources", shown: sources.joined(separator: " ")))
        if let origin {
            parts.append(Part("content of what is copied from \(origin)", hidden: content.digest.hex))
        } else {
            self.files = Data(content.manifest.bytes)
        }
    }

    /// Of a `WORKDIR`.
    init(directory: String, user: String) {
        self.init(instruction: "")
        parts.append(Part("directory", shown: directory))
        parts.append(Part("user", shown: user))
    }
}
