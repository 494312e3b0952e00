internal import CLinux
internal import Glibc

/// Unix sockets, as far as taking over a descriptor and handing connections on need them.
public enum UnixSocket {
    /// A socket that listens at a path. ENAMETOOLONG for more than 107 bytes.
    public static func listen(at path: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try check { clinux_unix_listen(path) })
    }

    /// A socket connected to the one that listens at a path. ENAMETOOLONG for more than 107 bytes.
    public static func connect(to path: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try check { clinux_unix_connect(path) })
    }

    /// Takes the next connection.
    public static func accept(on listener: borrowing FileDescriptor) throws(Errno) -> FileDescriptor {
        let number = listener.rawValue
        return FileDescriptor(owning: try check { clinux_accept(number) })
    }

    /// A side of a connection.
    public enum Direction: Sendable {
        case reading, writing
    }

    /// shutdown(2): ends one direction of a connection; the other goes on. ENOTCONN when there is none any more.
    public static func shutDown(_ socket: borrowing FileDescriptor, _ direction: Direction) throws(Errno) {
        let number = socket.rawValue
        let how = direction == .reading ? Int32(SHUT_RD) : Int32(SHUT_WR)
        try checkVoid { shutdown(number, how) }
    }

    /// Receives one descriptor that the other side hands over; EPROTO when it sent none.
    public static func receiveDescriptor(from socket: borrowing FileDescriptor) throws(Errno) -> FileDescriptor {
        let number = socket.rawValue
        return FileDescriptor(owning: try check { clinux_receive_descriptor(number) })
    }
}

/// Addresses of the Internet protocols as text.
public enum InternetAddress {
    /// Whether inet_pton(3) takes a text for an address of either version.
    public static func isValid(_ text: String) -> Bool {
        var bytes = in6_addr()
        return [AF_INET, AF_INET6].contains { inet_pton($0, text, &bytes) == 1 }
    }
}
