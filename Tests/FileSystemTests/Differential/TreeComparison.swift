import Linux

/// Compares what two mounts show, in full.
struct TreeComparison {
    let oracle: MountedUnion
    let tested: MountedUnion

    /// The first difference now and after both were mounted anew, nil where there is none.
    func overNewMount() throws -> String? {
        let first = try snapshot(tested)
        if let text = difference("now", first, try snapshot(oracle)) { return text }
        try oracle.remount()
        try tested.remount()
        let second = try snapshot(tested)
        if let text = difference("after a new mount", second, try snapshot(oracle)) { return text }
        if tested.server == .strata, let change = second.changedInodes(since: first).first {
            return "inode numbers changed with a new mount: \(change)"
        }
        return nil
    }

    /// Whether a kernel overlay of the directories that the tested mount has written shows what that mount shows.
    /// Files with several names are left out: which names belong together is known to the work directory only.
    func readByKernel() throws -> String? {
        guard let upper = tested.upper else { return nil }
        let shown = try snapshot(tested)
        try tested.unmount()
        defer { try? tested.mount() }
        return try withScratch { scratch in
            let layers = ([upper] + tested.lower).joined(separator: ":")
            try Mount.mount(
                source: "overlay", target: scratch, type: "overlay", options: "lowerdir=\(layers),redirect_dir=follow")
            defer { try? Mount.unmount(scratch, flags: [.detach, .noFollow]) }
            let lines = try shown.differences(to: snapshot(scratch), links: false)
            return lines.isEmpty ? nil : "here != read by the kernel's overlay: " + lines.joined(separator: "; ")
        }
    }

    private func snapshot(_ union: MountedUnion) throws -> TreeSnapshot { try snapshot(union.target) }

    private func snapshot(_ path: String) throws -> TreeSnapshot {
        try TreeSnapshot(of: path, recent: Player.recent)
    }

    private func difference(_ when: String, _ tested: TreeSnapshot, _ oracle: TreeSnapshot) -> String? {
        let faults = self.tested.server == .strata ? tested.directoryFaults : []
        let lines = tested.differences(to: oracle) + faults
        return lines.isEmpty ? nil : "\(when), here != on the kernel's overlay: " + lines.joined(separator: "; ")
    }
}
