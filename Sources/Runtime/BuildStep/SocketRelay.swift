import Linux

/// A unix socket that hands every connection on to another socket, until the value goes away.
///
/// So a container can have the socket of an agent with an owner and a mode of its own, and the agent sees this process.
final class SocketRelay: Sendable {
    /// Closed at the end, which the threads see.
    private let stop: FileDescriptor
    private let thread: PrivateThread.Companion?

    /// Listens at a name in a directory.
    ///
    /// - Parameter target: the path of the socket that connections are for.
    init(
        named name: String, in directory: borrowing FileDescriptor, to target: String
    ) throws(Errno) {
        // The full path may be longer than an address can be.
        let listener = SharedDescriptor(try UnixSocket.listen(at: "/proc/self/fd/\(directory.rawValue)/\(name)"))
        let pipe = try FileDescriptor.pipe()
        let (read, write) = pipe.release()
        stop = FileDescriptor(owning: write)
        let ended = SharedDescriptor(FileDescriptor(owning: read))
        thread = PrivateThread.startIfPossible { Self.serve(listener, until: ended, target) }
        if thread == nil { throw .EAGAIN }
    }

    deinit {
        // The pipe is closed by hand, because the thread, which sees that, is waited for when its value goes.
        try? stop.writeAll("x")
        thread?.join()
    }

    private static func serve(_ listener: SharedDescriptor, until ended: SharedDescriptor, _ target: String) {
        var connections: [PrivateThread.Companion] = []
        while true {
            var poll = Poll()
            let end = poll.add(ended.descriptor.rawValue, .readable)
            let ready = poll.add(listener.descriptor.rawValue, .readable)
            guard (try? poll.wait()) != nil, poll.events(end).isEmpty else { break }
            if poll.events(ready).isEmpty { continue }
            guard let client = try? SharedDescriptor(UnixSocket.accept(on: listener.descriptor)),
                let server = try? SharedDescriptor(UnixSocket.connect(to: target))
            else { continue }
            let connection = PrivateThread.startIfPossible { pump(client, server, until: ended) }
            if let connection { connections.append(connection) }
        }
        for connection in connections { connection.join() }
    }

    /// Copies both ways. Each ends by itself, at the end of what its source says or when nobody listens any more, and
    /// its end is handed on: a client that has asked all may still wait for the answer.
    private static func pump(_ client: SharedDescriptor, _ server: SharedDescriptor, until ended: SharedDescriptor) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 8)
        defer { buffer.deallocate() }
        var directions = [(source: client, sink: server), (source: server, sink: client)]
        while !directions.isEmpty {
            var poll = Poll()
            let end = poll.add(ended.descriptor.rawValue, .readable)
            let ready = directions.map { poll.add($0.source.descriptor.rawValue, .readable) }
            guard (try? poll.wait()) != nil, poll.events(end).isEmpty else { return }
            for (index, direction) in zip(ready, directions).reversed() where !poll.events(index).isEmpty {
                let (source, sink) = direction
                let count = (try? source.descriptor.read(into: buffer)) ?? 0
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if count > 0, (try? sink.descriptor.writeAll(piece)) != nil { continue }
                try? UnixSocket.shutDown(sink.descriptor, .writing)
                try? UnixSocket.shutDown(source.descriptor, .reading)
                directions.removeAll { $0.source === source }
            }
        }
    }
}
