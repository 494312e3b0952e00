import Testing

/// Files that the union has read in different ways while they lie in a lower layer.
enum Sample: String, Sendable, CaseIterable, CustomTestStringConvertible {
    /// Handed to the kernel's cache when it is opened.
    case small
    /// Read through the mount's page cache.
    case medium
    /// As `medium`, however large: nothing says that nobody writes it.
    case data
    /// Read by the kernel itself, where it can.
    case program

    var testDescription: String { rawValue }

    /// In bytes.
    var length: Int {
        switch self {
        case .small: 16
        case .medium: 20 << 10
        case .data, .program: 80 << 10
        }
    }

    var mode: UInt32 { self == .program ? 0o750 : 0o640 }

    var text: String { String(repeating: "0123456789abcdef", count: length / 16) }

    /// Whether the file is one inode for who has it open when it is copied up and for who comes later. The kernel cannot
    /// change the backing file of what is open.
    func staysOne(on subject: Subject) -> Bool {
        self != .program || ![.strataLower, .strataForgetful].contains(subject) || UserNamespace.isInside
    }
}
