import LayerTree
import Linux
public import OCI

extension ImageStore {
    /// Makes the upper directory of an unmounted union the next layer, by renaming it: `path` is gone afterwards.
    ///
    /// What only has a meaning in that union is written out first: renamed directories (redirects) with what lies below
    /// them, files whose data are still in a lower layer, further names of files that were copied up. The cost follows the
    /// size of the upper directory; only for those further names the layers below are searched.
    ///
    /// - Parameters:
    ///   - path: the upper directory; the union's working directory is `work` beside it.
    ///   - lowers: the layers that lay below it, bottom first.
    public func commitLayer(takingUpper path: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        try commitLayer(taking: path, index: ImageStore.indexPath(besides: path), lowers: lowers)
    }

    /// Makes a copy of an upper directory the next layer; for a container that keeps running. Data are shared with the
    /// original where the file system can.
    public func commitLayer(copyingUpper path: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        let workshop = try TemporaryDirectory(in: temporary)
        let copier = FileCopier(.all)
        try attempting("copy \(path)") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("upper", mode: 0o755)
            try workshop.descriptor.makeDirectory("index", mode: 0o700)
            let source = try OpenDirectory(path: path)
            let target = OpenDirectory(try workshop.descriptor.open("upper", [.directory]))
            try copier.copyTree(source, to: target)
            let indexPath = ImageStore.indexPath(besides: path)
            guard try FileDescriptor.currentDirectory.statusIfPresent(of: indexPath) != nil else { return }
            let index = try OpenDirectory(path: indexPath)
            try copier.copyChildren(of: index, to: OpenDirectory(try workshop.descriptor.open("index", [.directory])))
        }
        return try commitLayer(taking: workshop.path + "/upper", index: workshop.path + "/index", lowers: lowers)
    }

    /// Makes a layer of a copy of a directory that is no union's, such as a cache mount: nothing in it means anything to
    /// a union.
    ///
    /// - Throws: `badName` where it holds what a layer cannot: a name that begins with `.wh.`, or a device 0:0.
    public func commitLayer(copyingPlain path: String) throws(StoreError) -> PendingLayer {
        let workshop = try TemporaryDirectory(in: temporary)
        let copier = FileCopier(.plain(marks))
        do throws(Errno) {
            try workshop.descriptor.makeDirectory("upper", mode: 0o755)
            let source = try OpenDirectory(path: path)
            let target = OpenDirectory(try workshop.descriptor.open("upper", [.directory]))
            try copier.copyTree(source, to: target)
        } catch {
            guard error == .EINVAL else { throw StoreError("copy \(path)", error) }
            throw StoreError(
                .badName,
                "cannot make a layer of \(path): it holds a name that begins with .wh., or a device 0:0, which no layer can"
            )
        }
        return try commitLayer(taking: workshop.path + "/upper", index: workshop.path + "/index", lowers: [])
    }

    private func commitLayer(taking path: String, index: String, lowers: [LayerID]) throws(StoreError) -> PendingLayer {
        try LayerFlattener(lowers: lowerPaths(lowers), index: index, marks: marks).flatten(path)
        let workshop = try TemporaryDirectory(in: temporary)
        try attempting("take over \(path)") { () throws(Errno) in
            try workshop.descriptor.makeDirectory("layer", mode: 0o700)
            let home = try workshop.descriptor.open("layer", [.directory])
            try FileDescriptor.currentDirectory.rename(path, to: home, "fs")
        }
        let id = try reserveLayer()
        try placeLayer(id, from: workshop.descriptor, "layer")
        return PendingLayer(id: id, store: self)
    }

    /// Where a union keeps its index of files with several names, as the kernel's overlay does.
    private static func indexPath(besides upper: String) -> String {
        let parent = upper.lastIndex(of: "/").map { String(upper[..<$0]) } ?? "."
        return parent + "/work/index"
    }
}
