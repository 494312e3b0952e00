extension FileDescriptor {
    /// Throws EMFILE where this process cannot open so many descriptors more: to be asked before work for which a library
    /// opens some that ends the process where it gets none.
    public static func require(_ count: Int) throws(Errno) {
        var opened: [SharedNumber] = []
        for _ in 0..<count { opened.append(SharedNumber(try open("/", .path))) }
        withExtendedLifetime(opened) {}
    }

    /// A descriptor that can be in an array.
    private final class SharedNumber {
        let descriptor: FileDescriptor

        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }
}
