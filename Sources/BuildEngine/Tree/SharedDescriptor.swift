import Linux

/// Lets several values use one descriptor, which is closed with the last of them.
final class SharedDescriptor: Sendable {
    let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
