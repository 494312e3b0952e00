import GRDB
import Linux
public import OCI

extension ImageStore {
    /// Compares everything the catalog says with what is on disk.
    ///
    /// Others may use the store meanwhile: a layer is leased while its digest is computed again from its files, and what is
    /// being published or removed is left out. With `repairs`, files of broken layers and documents go to `quarantine/`;
    /// the same content, when it is pulled, loaded, imported or built again, takes their place, and the images that stand
    /// on it are whole again.
    ///
    /// - Parameter progress: called before each layer with its number, from 1, and how many there are.
    public func check(
        _ options: IntegrityOptions = IntegrityOptions(), progress: (Int, Int) -> Void = { _, _ in }
    ) throws(StoreError) -> IntegrityReport {
        var report = IntegrityReport()
        try checkCatalog(options, &report)
        try checkImages(options, &report)
        try checkLayers(options, &report, progress)
        try checkContainers(options, &report)
        try checkStrays(options, &report)
        return report
    }

    // MARK: Catalog

    private func checkCatalog(_ options: IntegrityOptions, _ report: inout IntegrityReport) throws(StoreError) {
        let faults = try catalog.read("check the catalog") { database in
            let pragma = options.isQuick ? "quick_check" : "integrity_check"
            var faults = try String.fetchAll(database, sql: "PRAGMA \(pragma)").filter { $0 != "ok" }
            for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
                let (table, parent): (String, String) = (row[0], row[2])
                faults.append("a row of \(table) names a row of \(parent) that is not there")
            }
            let gaps = try String.fetchAll(
                database,
                sql: """
                    SELECT images.id FROM images JOIN image_layers ON image = images.number
                    GROUP BY images.number HAVING min(position) <> 0 OR max(position) <> count(*) - 1
                    """)
            return faults + gaps.map { "the stack of the image \($0) has gaps" }
        }
        report.findings += faults.map { IntegrityFinding(kind: .catalog, object: "catalog.sqlite", message: $0) }
    }

    // MARK: Images

    private func checkImages(_ options: IntegrityOptions, _ report: inout IntegrityReport) throws(StoreError) {
        let images = try catalog.read("list the images") { try ImageRow.all(in: $0) }
        report.images = images.count
        for image in images {
            let names = [image.references.first?.familiar ?? image.row.id.short]
            var isWhole = true
            for digest in [image.row.id, image.row.manifestDigest] {
                guard let fault = fault(ofBlob: digest), try isListed(image.row.id) else { continue }
                isWhole = false
                var finding = IntegrityFinding(
                    kind: .document, object: digest.description, message: fault.message, images: names)
                if options.repairs, fault.isDamage, blobs.contains(digest) {
                    try putAside(BlobStore.relativePath(digest), as: digest.hex)
                    finding.repair = "put into quarantine"
                }
                report.findings.append(finding)
            }
            if isWhole { try compare(image, names, &report) }
        }
    }

    /// Something that is wrong with a file or a tree.
    private struct Fault {
        var message: String
        /// Whether it is missing or not what it was. What cannot be read for any other reason, such as too many open
        /// files, may be as good as new tomorrow: it is told and left alone.
        var isDamage = true
    }

    private func fault(ofBlob digest: Digest) -> Fault? {
        do throws(StoreError) {
            _ = try blobs.read(digest)
            return nil
        } catch {
            if error.code == .noSuchBlob { return Fault(message: "the file is missing") }
            return Fault(message: error.message, isDamage: error.code == .corrupt)
        }
    }

    /// The configuration must list the layers that the catalog has.
    private func compare(
        _ image: ImageSnapshot, _ names: [String], _ report: inout IntegrityReport
    ) throws(StoreError) {
        func add(_ message: String) {
            report.findings.append(
                IntegrityFinding(kind: .image, object: image.row.id.description, message: message, images: names))
        }
        let configuration: ImageConfiguration
        do throws(StoreError) {
            configuration = try self.configuration(of: image.row.id)
        } catch {
            return add(error.message)
        }
        let stack = try catalog.read("look up layers") { database in
            try image.layers.map { try LayerRows.find($0, in: database)?.diffID }
        }
        if configuration.rootFS.diffIDs != stack, try isListed(image.row.id) {
            add("its configuration lists other layers than the catalog")
        }
    }

    // MARK: Layers

    private func checkLayers(
        _ options: IntegrityOptions, _ report: inout IntegrityReport, _ progress: (Int, Int) -> Void
    ) throws(StoreError) {
        let layers = try layers()
        for (index, layer) in layers.enumerated() {
            progress(index + 1, layers.count)
            // What has no digest yet is being made by somebody.
            guard layer.diffID != nil else { continue }
            do throws(StoreError) {
                try lease([layer.id])
            } catch {
                if error.code == .corrupt { try reportBroken(layer, &report) }
                continue
            }
            do throws(StoreError) {
                report.layers += 1
                try check(layer, options, &report)
            } catch {
                try? releaseLease(of: layer.id)
                throw error
            }
            try releaseLease(of: layer.id)
        }
    }

    private func check(
        _ layer: LayerRecord, _ options: IntegrityOptions, _ report: inout IntegrityReport
    ) throws(StoreError) {
        var finding = IntegrityFinding(kind: .layer, object: layer.diffID?.description ?? "", message: "")
        if let fault = try fault(of: layer, options, &report) {
            finding.message = fault.message
            finding.images = try images(on: layer.id)
            if options.repairs, fault.isDamage {
                try catalog.write("mark the layer \(layer.id)", durable: true) { database in
                    try LayerRows.setBroken(layer.id, in: database)
                }
                try putAside("layers/\(layer.id.rawValue)", as: layer.id.rawValue)
                finding.repair = "put into quarantine"
            }
            report.findings.append(finding)
            return
        }
        // Blocks are counted when the layer is on disk.
        let size = try diskUsage(ofTree: "\(root)/layers/\(layer.id.rawValue)")
        guard try isSynced(layer.id), size != layer.diskUsage else { return }
        finding.kind = .size
        finding.message = "it takes \(size) bytes, the record says \(layer.diskUsage)"
        if options.repairs {
            try catalog.write("correct the layer \(layer.id)") { database in
                try database.execute(
                    sql: "UPDATE layers SET disk_usage = ? WHERE id = ?", arguments: [size, layer.id.rawValue])
            }
            finding.repair = "corrected"
        }
        report.findings.append(finding)
    }

    /// What is wrong with the files of a layer.
    private func fault(
        of layer: LayerRecord, _ options: IntegrityOptions, _ report: inout IntegrityReport
    ) throws(StoreError) -> Fault? {
        do throws(StoreError) {
            let status = try attempting("look at the layer") { () throws(Errno) in
                try FileDescriptor.currentDirectory.statusIfPresent(of: layerPath(layer.id))
            }
            if status?.isDirectory != true { return Fault(message: "its files are missing") }
            if options.isQuick { return nil }
            let summary = try recomputedSummary(of: layer.id)
            report.hashedBytes += summary.archiveSize
            if summary.diffID == layer.diffID { return nil }
            return Fault(message: "its files have the digest \(summary.diffID)")
        } catch {
            let isDamage = error.code == .corrupt || error.code == .badArchive
            return Fault(message: "its files cannot be read: \(error.message)", isDamage: isDamage)
        }
    }

    private func reportBroken(_ layer: LayerRecord, _ report: inout IntegrityReport) throws(StoreError) {
        let users = try images(on: layer.id)
        if users.isEmpty { return }
        report.findings.append(
            IntegrityFinding(
                kind: .layer, object: layer.diffID?.description ?? layer.id.rawValue,
                message: "its files are in quarantine; pull, load, import or build it again", images: users))
    }

    private func isSynced(_ id: LayerID) throws(StoreError) -> Bool {
        try catalog.read("look up the layer \(id)") { database in
            try Bool.fetchOne(
                database, sql: "SELECT unsynced_boot IS NULL FROM layers WHERE id = ?", arguments: [id.rawValue])
                ?? false
        }
    }

    /// Names of the images that stand on a layer.
    private func images(on id: LayerID) throws(StoreError) -> [String] {
        try holding(of: [id]).flatMap(\.holders).filter { $0.kind == .image }.map(\.name)
    }
}
