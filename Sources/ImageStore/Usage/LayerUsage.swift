import GRDB

/// Sizes of all layers and who holds them. With a thousand images of twenty layers, what connects the two is all that
/// `system df` costs; it is read once and added up here rather than by queries that each go through it again.
struct LayerUsage {
    /// Who holds a layer.
    struct Holders: OptionSet {
        let rawValue: UInt8

        /// An image.
        static let image = Holders(rawValue: 1 << 0)
        /// An image that a prune of images leaves alone.
        static let imageInUse = Holders(rawValue: 1 << 1)
        /// An image that is left when the containers that have ended are pruned and then the images.
        static let keptImage = Holders(rawValue: 1 << 2)
        /// A container, a mount or a living process.
        static let inUse = Holders(rawValue: 1 << 3)
        /// The same without containers that have ended.
        static let inActiveUse = Holders(rawValue: 1 << 4)
        /// A container.
        static let container = Holders(rawValue: 1 << 5)
        /// The build cache.
        static let cache = Holders(rawValue: 1 << 6)
    }

    private struct Layer {
        var size: Int64
        var holders: Holders = []
        /// How many images have it, and the last of them.
        var images = 0
        var lastImage: Int64 = -1
    }

    private var layers: [Layer] = []
    /// Places in `layers` by row number.
    private var places: [Int64: Int] = [:]
    /// Bytes of layers that other images have too, and of those that only this one has, by the row number of the image.
    /// An image may hold a layer twice, which counts once, and may hold none.
    private(set) var ofImage: [Int64: (shared: Int64, unique: Int64)] = [:]

    /// Reads all layers that are not being removed. The arguments are queries for the row numbers of layers or images.
    init(
        in database: Database, inUse: String, inActiveUse: String, imagesInUse: String, keptImages: String
    ) throws {
        let rows = try Row.fetchCursor(database, sql: "SELECT number, disk_usage FROM layers WHERE NOT is_dead")
        while let row = try rows.next() {
            places[row[0]] = layers.count
            layers.append(Layer(size: row[1]))
        }
        try mark(.inUse, inUse, in: database)
        try mark(.inActiveUse, inActiveUse, in: database)
        try mark(.container, "SELECT layer FROM container_layers", in: database)
        try mark(.cache, "SELECT layer FROM cache WHERE layer IS NOT NULL", in: database)
        try addImages(
            inUse: Set(try Int64.fetchAll(database, sql: imagesInUse)),
            kept: Set(try Int64.fetchAll(database, sql: keptImages)), in: database)
    }

    /// Bytes of the layers whose holders fulfil a condition.
    func sum(_ condition: (Holders) -> Bool) -> Int64 {
        layers.reduce(0) { condition($1.holders) ? $0 + $1.size : $0 }
    }

    private mutating func mark(_ holder: Holders, _ query: String, in database: Database) throws {
        let numbers = try Int64.fetchCursor(database, sql: query)
        while let number = try numbers.next() {
            if let place = places[number] { layers[place].holders.insert(holder) }
        }
    }

    private mutating func addImages(inUse: Set<Int64>, kept: Set<Int64>, in database: Database) throws {
        var held: [(image: Int64, place: Int)] = []
        var (last, holders): (Int64, Holders) = (-1, [])
        let rows = try Row.fetchCursor(database, sql: "SELECT image, layer FROM image_layers ORDER BY image")
        while let row = try rows.next() {
            let image: Int64 = row[0]
            guard let place = places[row[1]] else { continue }
            if image != last {
                last = image
                holders = .image
                if inUse.contains(image) { holders.insert(.imageInUse) }
                if kept.contains(image) { holders.insert(.keptImage) }
            }
            if layers[place].lastImage == image { continue }
            layers[place].lastImage = image
            layers[place].images += 1
            layers[place].holders.formUnion(holders)
            held.append((image, place))
        }
        for (image, place) in held {
            if layers[place].images > 1 {
                ofImage[image, default: (0, 0)].shared += layers[place].size
            } else {
                ofImage[image, default: (0, 0)].unique += layers[place].size
            }
        }
    }
}
