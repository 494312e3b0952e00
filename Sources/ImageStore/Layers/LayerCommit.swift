import Linux

extension ImageStore {
    /// Makes the upper directory of an unmounted union the next layer, by renaming it: `path` is gone afterwards.
    ///
    /// What only has a meaning in that union is written out first: renamed directories (redirects) with what lies below
    /// them, files whose data are still in a lower layer. The cost follows the size of the upper directory.
    ///
    /// - Parameter lowers: the layers that lay below it, bottom first.
    public func commitLayer(takingUpper path: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        try LayerFlattener(lowers: lowerPaths(lowers)).flatten(path)
        let workshop = try TemporaryDirectory(in: temporary)
        try attempting("cannot take over \(path)") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("layer", mode: 0o700)
            let home = try workshop.descriptor.open("layer", [.directory])
            try FileDescriptor.currentDirectory.rename(path, to: home, "fs")
        }
        let id = try reserveLayer()
        try placeLayer(id, from: workshop.descriptor, "layer")
        return PendingLayer(id: id, store: self)
    }

    /// Makes a copy of an upper directory the next layer; for a container that keeps running. Data are shared with the
    /// original where the file system can.
    public func commitLayer(copyingUpper path: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        let workshop = try TemporaryDirectory(in: temporary)
        try attempting("cannot copy \(path)") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("upper", mode: 0o755)
            let source = OpenDirectory(try FileDescriptor.open(path, [.directory]))
            let target = OpenDirectory(try workshop.descriptor.open("upper", [.directory]))
            let copier = FileCopier(keepsOverlayAttributes: true)
            try copier.copyChildren(of: source, to: target)
            try copier.copyMetadata(of: source.descriptor, to: target.descriptor)
        }
        return try commitLayer(takingUpper: workshop.path + "/upper", lowers: lowers)
    }
}
