/// What is asked of a server; RFC 9110, section 9.3.
enum HTTPMethod: String, Hashable, Sendable {
    case GET, HEAD, POST, PUT, PATCH, DELETE

    /// Whether the request says how long its body is even when it has none.
    var expectsBody: Bool { self == .POST || self == .PUT || self == .PATCH }
}

/// A request to a server.
struct HTTPRequest: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Pieces as they come; `length` bytes, where that is known.
        case stream(PieceChannel, length: Int64?)
    }

    /// The whole address, `http` or `https`.
    var url: String
    var method = HTTPMethod.GET
    var headers = HTTPHeaders()
    var body = Body.none
    /// Whether a large body goes or comes: over HTTP/1.1, where it has a connection of its own.
    var isBulk = false

    init(url: String) { self.url = url }

    /// Whether it can be sent as it is: nothing in it that would end a line too early.
    var isWellFormed: Bool { headers.isWellFormed && url.utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}
