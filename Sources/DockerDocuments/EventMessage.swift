/// What happened to an object: the Engine API's `EventMessage`, of `GET /events`.
package struct EventMessage: Hashable, Codable, Sendable {
    /// What it happened to.
    package struct Actor: Hashable, Codable, Sendable {
        package var id = ""
        package var attributes: [String: String] = [:]

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case attributes = "Attributes"
        }
    }

    package var type = ""
    package var action = ""
    package var actor = Actor()
    package var scope = "local"
    /// Seconds since 1970.
    package var time: Int64 = 0
    /// Nanoseconds since 1970.
    package var nanoseconds: Int64 = 0

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case type = "Type"
        case action = "Action"
        case actor = "Actor"
        case scope
        case time
        case nanoseconds = "timeNano"
    }
}
