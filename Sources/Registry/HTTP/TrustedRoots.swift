import Linux

/// The certificates (PEM) of those who may vouch for a server.
enum TrustedRoots: Sendable {
    /// Those that libcurl takes by itself.
    case none
    /// Those in a file.
    case file(String)
    /// These.
    case certificates([UInt8])

    /// Where distributions keep the certificates that the machine trusts.
    private static let machineFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]
    /// The longest file that is taken.
    private static let maximumSize = 8 << 20

    /// The machine's certificates, or those of one file in their place, and besides them those of further files.
    init(_ chosen: String?, besides files: [String]) throws(TransportError) {
        let machine = chosen ?? TrustedRoots.machineFile
        if files.isEmpty {
            self = machine.map { .file($0) } ?? .none
            return
        }
        var all: [UInt8] = []
        for path in (machine.map { [$0] } ?? []) + files {
            let content: [UInt8]
            do throws(Errno) {
                content = try FileDescriptor.open(path).readAll(limit: TrustedRoots.maximumSize)
            } catch {
                throw TransportError(kind: .setting, text: "the certificate \(path) cannot be read: \(error)")
            }
            guard String(decoding: content, as: UTF8.self).contains("-----BEGIN ") else {
                throw TransportError(kind: .setting, text: "\(path) holds no certificate in PEM form")
            }
            all += content + [0x0a]
        }
        self = .certificates(all)
    }

    private static var machineFile: String? {
        machineFiles.first { (try? FileDescriptor.open($0)) != nil }
    }
}
