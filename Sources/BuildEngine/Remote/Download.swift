public import Linux
import OCI

/// What a server says of a file that was fetched.
public struct RemoteFile: Sendable {
    /// The header `Last-Modified`, as it came.
    public var lastModified: String?

    /// Takes what is known.
    public init(lastModified: String? = nil) { self.lastModified = lastModified }
}

/// Fetches an `http` or `https` address and gives its bytes to `sink`, in order. Throws when it does not get all of it.
public typealias FileDownload =
    @Sendable (
        _ address: String, _ sink: @escaping @Sendable (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws -> RemoteFile

/// A file that was fetched.
struct FetchedFile {
    var digest: Digest
    /// When the server says that it changed; 1970 where it says nothing, which is the same each time.
    var modified: TimeSpec
}

/// Puts what an address leads to into a file of mode 0600.
func fetch(_ address: String, to path: String, with download: FileDownload?) throws(BuildError) -> FetchedFile {
    guard let download else {
        throw BuildError(.unsupported, "cannot fetch \(address): this build has no access to the web")
    }
    let file = try attempting("create \(path)") { () throws(Errno) in
        SharedDescriptor(
            try FileDescriptor.open(path, [.create, .exclusive, .writeOnly, .noFollow], mode: 0o600))
    }
    let answer: RemoteFile
    do {
        answer = try download(address) { (piece) throws(Errno) in try file.descriptor.writeAll(piece) }
    } catch {
        throw (error as? BuildError) ?? BuildError(.remote, "\(error)")
    }
    let modified = answer.lastModified.flatMap(HTTPDate.seconds) ?? 0
    let time = TimeSpec(seconds: modified)
    return try attempting("write \(path)") { () throws(Errno) in
        try file.descriptor.setMode(0o600)
        try file.descriptor.setTimes(access: time, modification: time)
        var hasher = DigestHasher()
        let source = try FileDescriptor.open(path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return FetchedFile(digest: hasher.finish(), modified: time)
    }
}

/// The dates of HTTP headers (RFC 9110, 5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int64(words[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(words[2])), let year = Int64(words[3]),
            (1970...9999).contains(year)
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, zip(clock, [24, 60, 61]).allSatisfy({ (0..<$1).contains($0) }) else { return nil }
        let days = Timestamp.days(year: year, month: Int64(month) + 1, day: day)
        return days * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }
}
