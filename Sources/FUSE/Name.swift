internal import Glibc

/// A borrowed name: one component of a path, or the name of an extended attribute, as bytes.
///
/// Points into the request, so it is valid only until the method that received it returns; copy the bytes to keep them.
public struct Name {
    /// The bytes, followed by a zero.
    public let pointer: UnsafePointer<CChar>
    /// Number of bytes before the zero.
    public let length: Int

    /// Borrows a string that ends with a zero.
    @inlinable
    public init(_ pointer: UnsafePointer<CChar>) {
        self.pointer = pointer
        length = Name.measure(pointer)
    }

    /// Borrows a string that ends with a zero and whose length is known.
    @inlinable
    public init(_ pointer: UnsafePointer<CChar>, length: Int) {
        self.pointer = pointer
        self.length = length
    }

    /// The bytes without the zero.
    @inlinable
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: length) }

    @usableFromInline
    static func measure(_ pointer: UnsafePointer<CChar>) -> Int { strlen(pointer) }
}
