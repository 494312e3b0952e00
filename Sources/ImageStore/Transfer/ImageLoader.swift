import FoundationEssentials
import Linux
import OCI

/// An image that is ready to be recorded: every layer is unpacked and everything has been checked.
struct PreparedImage {
    var configuration: Data
    var manifest: Data
    var layers: [LayerID]
    var references: [Reference]
}

/// Finds the images in a bundle and prepares them. Nothing is recorded before all of them are ready.
struct ImageLoader {
    let bundle: any ImageBundle
    let platform: Platform

    /// All images that the bundle names; `badArchive` where there are none.
    func run() throws(StoreError) -> [PreparedImage] {
        let images: [PreparedImage]
        if let list = try bundle.document(ImageArchive.dockerManifest) {
            images = try dockerImages(list)
        } else if let index = try bundle.document(ImageArchive.index) {
            images = try layoutImages(index)
        } else if try bundle.document(ImageArchive.repositories) != nil {
            throw bad("it was written by Docker before version 1.10 and has no manifest.json")
        } else {
            throw bad("it is no archive of an image: it has neither manifest.json nor index.json")
        }
        if images.isEmpty { throw bad("it names no image") }
        return images
    }

    // MARK: Docker's manifest.json

    private func dockerImages(_ list: Data) throws(StoreError) -> [PreparedImage] {
        let items = try read([ImageArchive.DockerImage].self, list, ImageArchive.dockerManifest)
        let manifests = try manifestsOfLayout()
        var images: [PreparedImage] = []
        for item in items {
            guard let document = try bundle.document(item.config) else {
                throw bad("it lacks the configuration \(item.config)")
            }
            let id = Digest.sha256(of: document)
            try LayerCheck.require(id, at: item.config)
            let names = item.layers ?? []
            // It counts only if it speaks of the same files.
            let known = manifests.first { known in
                known.manifest.config.digest == id
                    && known.manifest.layers.map { ImageArchive.blobs + $0.digest.hex } == names
            }
            let descriptors = known?.manifest.layers.map(Optional.some) ?? names.map { _ in nil }
            let layers = try layers(of: document, at: item.config, Array(zip(names, descriptors)))
            let manifest: Data
            if let known {
                manifest = known.document
            } else {
                manifest = try ImageLoader.plainManifest(document, layers)
            }
            var references: [Reference] = []
            for name in item.repoTags ?? [] { references.append(try tagged(name)) }
            images.append(
                PreparedImage(
                    configuration: document, manifest: manifest, layers: layers.map(\.id), references: references))
        }
        return images
    }

    /// The manifests of a layout that goes with `manifest.json`, so that an image keeps the digest it had; those that
    /// cannot be read do not count.
    private func manifestsOfLayout() throws(StoreError) -> [(document: Data, manifest: Manifest)] {
        guard let document = try bundle.document(ImageArchive.index),
            let index = try? JSON.decode(Index.self, from: document)
        else { return [] }
        var found: [(Data, Manifest)] = []
        for descriptor in index.manifests where descriptor.mediaType.isManifest {
            guard let document = try bundle.document(ImageArchive.blobs + descriptor.digest.hex),
                Digest.sha256(of: document) == descriptor.digest,
                let manifest = try? JSON.decode(Manifest.self, from: document)
            else { continue }
            found.append((document, manifest))
        }
        return found
    }

    private static func plainManifest(_ document: Data, _ layers: [LayerRecord]) throws(StoreError) -> Data {
        var descriptors: [Descriptor] = []
        for layer in layers {
            guard let diffID = layer.diffID else { continue }
            descriptors.append(Descriptor(mediaType: .layerTar, digest: diffID, size: layer.archiveSize))
        }
        return try ImageStore.document(
            Manifest(
                config: Descriptor(
                    mediaType: .imageConfiguration, digest: .sha256(of: document), size: Int64(document.count)),
                layers: descriptors))
    }

    // MARK: OCI layout

    private func layoutImages(_ document: Data) throws(StoreError) -> [PreparedImage] {
        let index = try read(Index.self, document, ImageArchive.index)
        var images: [PreparedImage] = []
        var order: [String] = []
        var groups: [String: [Descriptor]] = [:]
        for descriptor in index.manifests where !isAttestation(descriptor) {
            let name =
                descriptor.annotations?[ImageArchive.nameAnnotation]
                ?? descriptor.annotations?[ImageArchive.referenceAnnotation] ?? ""
            if groups[name] == nil { order.append(name) }
            groups[name, default: []].append(descriptor)
        }
        for name in order {
            // One name for several manifests means one image for several platforms.
            let group = groups[name] ?? []
            let isChoice = !name.isEmpty && group.count > 1 && group.contains { $0.platform != nil }
            for descriptor in isChoice ? [try choice(group, ImageArchive.index)] : group {
                let image = try image(descriptor, depth: 0, reference: try reference(descriptor))
                if let same = images.firstIndex(where: { $0.configuration == image.configuration }) {
                    images[same].references += image.references
                } else {
                    images.append(image)
                }
            }
        }
        return images
    }

    /// The image that a descriptor leads to, for the platform where there are several.
    private func image(_ descriptor: Descriptor, depth: Int, reference: Reference?) throws(StoreError) -> PreparedImage
    {
        let name = ImageArchive.blobs + descriptor.digest.hex
        if depth > ImageArchive.maximumDepth { throw bad("its indexes lie in one another without end") }
        guard descriptor.mediaType.isIndex || descriptor.mediaType.isManifest else {
            throw bad("\(name) is of the unknown type \(descriptor.mediaType)")
        }
        let document = try blob(descriptor, name)
        if descriptor.mediaType.isIndex {
            let candidates = try read(Index.self, document, name).manifests.filter { !isAttestation($0) }
            return try image(try choice(candidates, name), depth: depth + 1, reference: reference)
        }
        let manifest = try read(Manifest.self, document, name)
        guard manifest.config.mediaType.isImageConfiguration else {
            throw bad("\(name) describes no image: its configuration is of the type \(manifest.config.mediaType)")
        }
        for layer in manifest.layers where !layer.mediaType.isLayer {
            throw bad("\(name) has a layer of the unknown type \(layer.mediaType)")
        }
        let configurationName = ImageArchive.blobs + manifest.config.digest.hex
        let configuration = try blob(manifest.config, configurationName)
        let files = manifest.layers.map { (ImageArchive.blobs + $0.digest.hex, Optional($0)) }
        let layers = try layers(of: configuration, at: configurationName, files)
        return PreparedImage(
            configuration: configuration, manifest: document, layers: layers.map(\.id),
            references: reference.map { [$0] } ?? [])
    }

    private func choice(_ candidates: [Descriptor], _ name: String) throws(StoreError) -> Descriptor {
        if let found = Index(manifests: candidates).manifest(for: platform) { return found }
        guard let only = candidates.first, candidates.count == 1 else {
            throw bad("\(name) has no image for \(platform)")
        }
        return only
    }

    /// Builders put statements about an image beside it, for a platform that does not exist.
    private func isAttestation(_ descriptor: Descriptor) -> Bool {
        descriptor.annotations?["vnd.docker.reference.type"] != nil
            || descriptor.platform.map { $0.os == "unknown" && $0.architecture == "unknown" } == true
    }

    private func reference(_ descriptor: Descriptor) throws(StoreError) -> Reference? {
        if let name = descriptor.annotations?[ImageArchive.nameAnnotation] { return try tagged(name) }
        // Most tools write the tag alone, which names nothing; some the whole name.
        guard let name = descriptor.annotations?[ImageArchive.referenceAnnotation],
            name.contains(":") || name.contains("/")
        else { return nil }
        return try tagged(name)
    }

    // MARK: Parts of images

    private func blob(_ descriptor: Descriptor, _ name: String) throws(StoreError) -> Data {
        guard let document = try bundle.document(name) else { throw bad("it lacks \(name)") }
        try LayerCheck.require(Digest.sha256(of: document), at: name)
        try LayerCheck.require(size: Int64(document.count), descriptor, at: name)
        return document
    }

    private func layers(
        of document: Data, at name: String, _ files: [(String, Descriptor?)]
    ) throws(StoreError) -> [LayerRecord] {
        let diffIDs = try read(ImageConfiguration.self, document, name).rootFS.diffIDs
        guard diffIDs.count == files.count else {
            throw bad("the configuration lists \(diffIDs.count) layers, the manifest \(files.count)")
        }
        if files.count > ImageArchive.maximumLayers {
            throw bad(
                "an image has \(files.count) layers, more than the \(ImageArchive.maximumLayers) that can be used")
        }
        var layers: [LayerRecord] = []
        for ((name, descriptor), diffID) in zip(files, diffIDs) {
            layers.append(try bundle.layer(name, diffID: diffID, descriptor))
        }
        return layers
    }

    private func tagged(_ name: String) throws(StoreError) -> Reference {
        do throws(OCIError) {
            let reference = try Reference(parsing: name)
            if reference.tag != nil { return reference }
            throw OCIError(.badReference, "invalid reference \"\(name)\": it has no tag")
        } catch {
            throw bad(error.message)
        }
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ data: Data, _ name: String) throws(StoreError) -> Value {
        do throws(OCIError) {
            return try JSON.decode(type, from: data)
        } catch {
            throw bad("\(name): \(error.message)")
        }
    }

    /// Names in archives may be as long as they like; messages may not.
    private func bad(_ why: String) -> StoreError {
        let short = why.count > 300 ? why.prefix(300) + "…" : Substring(why)
        return StoreError(.badArchive, "the archive cannot be used: \(short)")
    }
}
