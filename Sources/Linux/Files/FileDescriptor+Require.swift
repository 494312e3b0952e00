extension FileDescriptor {
    /// Throws EMFILE where this process cannot open so many descriptors more: to be asked before work for which a library
    /// opens some that ends the process where it gets none.
    public static func require(_ count: Int) throws(Errno) {
        var opened: [SharedDescriptor] = []
        for _ in 0..<count { opened.append(SharedDescriptor(try open("/", .path))) }
        withExtendedLifetime(opened) {}
    }
}
