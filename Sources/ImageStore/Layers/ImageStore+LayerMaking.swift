import LayerTree
import Linux
public import OCI

// Layers that are made of layers.
extension ImageStore {
    /// A layer like another one in which no file is later than `limit`, leased: the same one where that is so already.
    public func layer(_ id: LayerID, notLaterThan limit: Timestamp) throws(StoreError) -> LayerRecord {
        let times = TreeTimes(limit: TimeSpec(seconds: limit.seconds, nanoseconds: Int64(limit.nanoseconds)))
        let path = layerPath(id)
        let isNeeded = try attempting("read the layer \(id)") { () throws(Errno) in
            try times.isNeeded(in: try OpenDirectory(path: path))
        }
        if !isNeeded {
            try lease([id])
            return try layer(id)
        }
        return try makeLayer(lowers: []) { (target: OpenDirectory) throws(Errno) in
            let source = try OpenDirectory(path: path)
            let copier = FileCopier(.all)
            try copier.copyChildren(of: source, to: target)
            try times.apply(to: target)
            try copier.copyMetadata(of: source.descriptor, to: target.descriptor)
        }
    }

    /// One layer that does what several do together, leased.
    ///
    /// - Parameters:
    ///   - layers: the layers, bottom first.
    ///   - lowers: those below them, bottom first.
    public func mergeLayers(_ layers: [LayerID], over lowers: [LayerID]) throws(StoreError) -> LayerRecord {
        let (paths, below, marks) = (lowerPaths(layers), lowerPaths(lowers), marks)
        return try makeLayer(lowers: lowers) { (target: OpenDirectory) throws(Errno) in
            let merged = try TreeDirectory(layers: paths, marks: marks)
            try LayerMerger(marks: marks).merge(
                merged, over: try TreeDirectory(layers: below, marks: marks), into: target)
        }
    }

    /// A layer of the tree that `body` writes.
    private func makeLayer(
        lowers: [LayerID], _ body: (OpenDirectory) throws(Errno) -> Void
    ) throws(StoreError) -> LayerRecord {
        let workshop = try TemporaryDirectory(in: temporary)
        let path = try workshop.makeDirectory("upper")
        try attempting("make a layer of layers") { () throws(Errno) in
            try body(try OpenDirectory(path: path))
        }
        return try commitLayer(takingUpper: path, lowers: lowers).finish()
    }
}
