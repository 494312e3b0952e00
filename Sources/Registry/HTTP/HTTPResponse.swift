/// How a server's answer begins.
struct HTTPHead: Hashable, Sendable {
    /// From 100 to 999.
    var status: Int
    var headers = HTTPHeaders()

    /// Takes a status line; nil for anything else.
    init?(line: Substring) {
        // RFC 9112, section 4; HTTP/2 has none, the library makes one.
        let parts = line.split(separator: " ", maxSplits: 2)
        guard line.hasPrefix("HTTP/"), parts.count >= 2, parts[1].utf8.count == 3, let status = Int(parts[1]),
            status >= 100
        else { return nil }
        self.status = status
    }

    /// Adds a field of a header; a line that is none is passed over, and so are those that go on with another.
    mutating func add(line: Substring) {
        guard let colon = line.firstIndex(of: ":"), line.first != " ", line.first != "\t" else { return }
        var value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        headers.add(name: String(line[..<colon]), value: String(value))
    }

    /// What the status means, in the words of RFC 9110; the server's own words may be anything.
    var reason: String { HTTPHead.reasons[status] ?? "" }

    private static let reasons = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
        301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
        308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
        413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        421: "Misdirected Request", 422: "Unprocessable Content", 425: "Too Early", 426: "Upgrade Required",
        428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        451: "Unavailable For Legal Reasons", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        507: "Insufficient Storage",
    ]
}

/// A server's answer; its body comes as it is read.
struct HTTPResponse: Sendable {
    var head: HTTPHead
    var body: HTTPBody

    var status: Int { head.status }
    var headers: HTTPHeaders { head.headers }
}

/// The body of an answer, for one reader. The transfer ends with the value.
final class HTTPBody: Sendable {
    private let transfer: HTTPTransfer

    init(_ transfer: HTTPTransfer) { self.transfer = transfer }

    deinit { transfer.cancel() }

    /// The next bytes; nil at the end. A body that ends too early is an error.
    func next() async throws(TransportError) -> [UInt8]? { try await transfer.next() }

    /// The whole body; a longer one than `limit` bytes is an error.
    func bytes(limit: Int) async throws(TransportError) -> [UInt8] {
        var result: [UInt8] = []
        while let piece = try await next() {
            if piece.count > limit - result.count {
                throw TransportError(kind: .request, text: "the answer is longer than \(limit) bytes")
            }
            result += piece
        }
        return result
    }
}
