public import OCI

/// Something that happened to an object of the store, with Docker's words for it; Docker Engine API, `GET /events`.
public struct StoreEvent: Hashable, Sendable {
    /// What kind of object it happened to.
    public enum Kind: String, Hashable, Codable, CaseIterable, Sendable {
        case container
        case image
        case volume
        case builder
    }

    /// Its place among all events of the store, which rises; 0 as long as it is not recorded.
    public var number: Int64 = 0
    /// When it happened.
    public var time: Timestamp
    /// What kind of object it happened to.
    public var kind: Kind
    /// What happened, such as `start`; `exec_create: ls -l` has its command behind a colon.
    public var action: String
    /// The object: the ID of a container or an image, the name of a volume.
    public var actor: String
    /// What is known of it besides: the name, the image, labels, an exit code.
    public var attributes: [String: String]

    /// Describes what happens now.
    public init(_ kind: Kind, _ action: String, of actor: String, _ attributes: [String: String] = [:]) {
        time = .now
        self.kind = kind
        self.action = action
        self.actor = actor
        self.attributes = attributes
    }

    /// What happens to an image.
    ///
    /// - Parameter name: its name where one is concerned, else its ID.
    public static func image(_ action: String, _ id: Digest, name: Reference? = nil) -> StoreEvent {
        StoreEvent(.image, action, of: id.description, ["name": name?.familiar ?? id.description])
    }
}
