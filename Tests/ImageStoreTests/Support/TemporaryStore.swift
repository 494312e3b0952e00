import ImageStore
import Linux
import OCI
import Testing

/// A store in a directory of its own, which goes with the value.
final class TemporaryStore: Sendable {
    /// Everything of the test is below it.
    let directory: String
    let store: ImageStore

    init(in parent: String = "/var/tmp") throws {
        directory = "\(parent)/strata-test-\(UInt64.random(in: 0...UInt64.max))"
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        store = try ImageStore(root: directory + "/store")
    }

    deinit {
        try? FileDescriptor.currentDirectory.removeTree(directory)
    }

    /// A further handle of the same store.
    func reopened() throws -> ImageStore { try ImageStore(root: directory + "/store") }

    /// Makes a directory, fills it with a script that runs in it, and returns its path.
    @discardableResult
    func tree(_ name: String, _ script: String) throws -> String {
        let path = "\(directory)/\(name)"
        try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o755)
        try shell(script, in: path)
        return path
    }

    /// Imports what a command writes into the archive file `$A`.
    func importArchive(
        made command: String, kind: ImportOptions.Kind = .rootFileSystem, into other: ImageStore? = nil
    ) throws -> LayerRecord {
        let file = "\(directory)/archive-\(UInt64.random(in: 0...UInt64.max))"
        try shell("A=\(file); \(command)", in: directory)
        return try (other ?? store).importFile(file, ImportOptions(kind: kind))
    }

    /// A layer with the files that a script makes.
    func layer(_ script: String) throws -> LayerRecord {
        let name = "tree-\(UInt64.random(in: 0...UInt64.max))"
        try tree(name, script)
        return try importArchive(made: "tar -C \(name) --xattrs --xattrs-include='*' -cf $A .", kind: .layer)
    }

    /// An image of one layer with a single file.
    func image(_ content: String, tags: [String] = [], labels: [String: String] = [:]) throws -> ImageRecord {
        try image(layers: [try layer("printf '%s' '\(content)' > file").id], content, tags: tags, labels: labels)
    }

    /// An image of layers; `comment` tells its configuration from others.
    func image(
        layers: [LayerID], _ comment: String, tags: [String] = [], labels: [String: String] = [:], created: Int64 = 0
    ) throws -> ImageRecord {
        var configuration = ImageConfiguration(created: Timestamp(seconds: created))
        configuration.author = comment
        configuration.config.labels = labels
        return try store.createImage(
            configuration: configuration, layers: layers, tags: try tags.map { try Reference(parsing: $0) })
    }

    /// Whether nothing unfinished is left.
    func expectNothingUnfinished(_ location: SourceLocation = #_sourceLocation) throws {
        #expect(try names(in: "tmp") == [], sourceLocation: location)
    }

    /// Names in a directory of the store.
    func names(in path: String) throws -> [String] {
        try FileDescriptor.open("\(directory)/store/\(path)", [.directory]).sortedEntryNames().map {
            String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

extension ImageStore {
    /// Imports an archive file.
    func importFile(_ path: String, _ options: ImportOptions = ImportOptions()) throws(StoreError) -> LayerRecord {
        let file: FileDescriptor
        do throws(Errno) {
            file = try FileDescriptor.open(path)
        } catch {
            throw StoreError("open \(path)", error)
        }
        return try importLayer(from: file, options: options)
    }
}
