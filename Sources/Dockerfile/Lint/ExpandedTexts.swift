extension Instruction.Operation {
    /// The arguments in which variables are replaced, in the order in which Docker does it; the second value says
    /// whether it is the body of a here-document. Those of `ARG` see each other, so they are not here.
    var expandedTexts: [(text: String, isBody: Bool)] {
        switch self {
        case .copy(let copy): copy.files.expandedTexts(checksum: nil)
        case .add(let add): add.files.expandedTexts(checksum: add.checksum)
        case .environment(let pairs), .label(let pairs): pairs.flatMap { [($0.key, false), ($0.value, false)] }
        case .volume(let paths): paths.map { ($0, false) }
        case .user(let text), .workingDirectory(let text), .stopSignal(let text): [(text, false)]
        case .run(let run):
            run.mounts.flatMap { mount in [mount.target, mount.source, mount.id].compactMap { $0 }.map { ($0, false) } }
        default: []
        }
    }
}

extension FileTransfer {
    fileprivate func expandedTexts(checksum: String?) -> [(text: String, isBody: Bool)] {
        var texts = [owner, mode, checksum].compactMap { $0 }
        var bodies: [String] = []
        for source in sources {
            switch source {
            case .path(let path): texts.append(path)
            case .heredoc(let heredoc): if heredoc.expands { bodies.append(heredoc.content) }
            }
        }
        texts.append(destination)
        return texts.map { ($0, false) } + bodies.map { ($0, true) }
    }
}
