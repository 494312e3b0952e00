import GRDB
import Linux
import OCI

// The second half of `check`: containers, files without a record, and the quarantine.
extension ImageStore {
    /// The digest that a layer's files have now.
    func recomputedSummary(of id: LayerID) throws(StoreError) -> LayerSummary {
        let discard = { (_: UnsafeRawBufferPointer) throws(StoreError) in }
        return try LayerArchiveWriter.write(layer: "\(root)/layers/\(id.rawValue)", marks: marks, to: discard)
    }

    func checkContainers(_ options: IntegrityOptions, _ report: inout IntegrityReport) throws(StoreError) {
        for container in try containers(includingBuilds: true) {
            report.containers += 1
            let fault: String
            var isMissing = false
            do throws(Errno) {
                let path = containerPaths(container.id).directory
                let status = try FileDescriptor.currentDirectory.statusIfPresent(of: path)
                if status?.isDirectory == true { continue }
                isMissing = status == nil
                fault = isMissing ? "are missing" : "are in no directory"
            } catch {
                fault = "cannot be looked at: \(error)"
            }
            // Removed since it was listed?
            guard (try? self.container(matching: container.id)) != nil else { continue }
            var finding = IntegrityFinding(
                kind: .container, object: container.shortID, message: "the files of \(container.name) \(fault)")
            if options.repairs, isMissing {
                try removeContainer(container.id)
                finding.repair = "removed"
            }
            report.findings.append(finding)
        }
    }

    /// Files that no record names, and what is unfinished though nobody works on it.
    func checkStrays(_ options: IntegrityOptions, _ report: inout IntegrityReport) throws(StoreError) {
        let strays = try catalog.write("look for stray files") { database in
            try StrayPlace.allCases.flatMap { try $0.strays(in: root, database) }
        }
        for path in strays {
            var finding = IntegrityFinding(kind: .stray, object: path, message: "no record names it")
            if options.repairs { finding.repair = "removed" }
            report.findings.append(finding)
        }
        if options.repairs, !strays.isEmpty { try collectGarbage() }
        // Opening the store has removed what it could.
        let leftovers = try TemporaryDirectory.abandoned(in: temporary)
        for name in leftovers {
            var finding = IntegrityFinding(kind: .leftover, object: "tmp/\(name)", message: "nobody works on it")
            if options.repairs { finding.repair = "removed" }
            report.findings.append(finding)
        }
        if options.repairs, !leftovers.isEmpty { try TemporaryDirectory.sweep(temporary) }
    }

    /// Moves a damaged file or directory, given by its path in the store, to `quarantine/`.
    func putAside(_ path: String, as name: String) throws(StoreError) {
        try attempting("put \(path) into quarantine") { () throws(Errno) in
            do throws(Errno) {
                try FileDescriptor.currentDirectory.makeDirectory(quarantine, mode: 0o700)
            } catch {
                if error != .EEXIST { throw error }
            }
            let home = try FileDescriptor.open(quarantine, [.directory])
            // What was put there earlier under that name is superseded.
            try home.removeTree(name)
            do throws(Errno) {
                try FileDescriptor.currentDirectory.rename("\(root)/\(path)", to: home, name)
            } catch {
                if error != .ENOENT { throw error }
            }
        }
    }
}
