import Linux
import TestSupport

/// Compares what two mounts show, in full.
struct TreeComparison {
    let oracle: MountedUnion
    let tested: MountedUnion

    /// The trees of both at one time.
    struct Views {
        var tested: TreeSnapshot
        var oracle: TreeSnapshot

        /// One line for each difference.
        var differences: [String] { tested.differences(to: oracle) }
    }

    /// Looks at both trees, which nobody may change meanwhile.
    func views() throws -> Views { Views(tested: try snapshot(tested.target), oracle: try snapshot(oracle.target)) }

    /// The first differences between the two, nil where there are none.
    func difference(_ when: String, _ views: Views) -> String? {
        let faults = tested.server == .strata ? views.tested.directoryFaults : []
        let lines = views.differences + faults
        return lines.isEmpty
            ? nil : "\(when), here != on the kernel's overlay: " + lines.prefix(12).joined(separator: "; ")
    }

    /// Looks at both, unless somebody has just done that, mounts both anew and looks again. Returns the first differences,
    /// nil where there are none.
    func overNewMount(_ known: Views? = nil, crashing: Bool = false) throws -> String? {
        let first = try known ?? views()
        if let text = difference("now", first) { return text }
        try oracle.remount()
        if crashing && tested.server == .strata {
            try tested.killServer()
            try tested.mount()
        } else {
            try tested.remount()
        }
        let second = try views()
        if let text = difference(crashing ? "after a crash" : "after a new mount", second) { return text }
        if tested.server == .strata, let change = second.tested.changedInodes(since: first.tested).first {
            return "inode numbers changed with a new mount: \(change)"
        }
        return nil
    }

    /// Whether the other program, mounting the directories that one has written, shows what that one showed: the kernel
    /// ours, and we the kernel's.
    /// Files with several names are left out: which names belong together is known to the work directory only.
    func readByTheOther() throws -> String? {
        for (writer, reader) in [(tested, MountedUnion.Server.kernel), (oracle, .strata)] {
            guard let upper = writer.upper else { continue }
            let shown = try snapshot(writer.target)
            try writer.unmount()
            let lines = try withUnion(
                reader, writable: false, options: Fuzzer.options(reader), below: [upper] + writer.lower
            ) { union in try shown.differences(to: snapshot(union.target), links: false) }
            try writer.mount()
            if !lines.isEmpty {
                let names = writer === tested ? "here != read by the kernel" : "on the kernel != read here"
                return "\(names): " + lines.prefix(12).joined(separator: "; ")
            }
        }
        return nil
    }

    private func snapshot(_ path: String) throws -> TreeSnapshot {
        try TreeSnapshot(of: path, recent: Player.recent)
    }
}
