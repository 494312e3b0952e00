import Linux
public import OCI

/// The right to do a step of a build alone, so that builds that come to the same step at once do it once.
///
/// One byte of `steps.lock`, which has none: the kernel keeps the lock for the open file, and lets go of it when this value
/// or the process ends. Nothing has to be tidied up.
public final class StepLock: Sendable {
    private let file: FileDescriptor

    fileprivate init(_ file: consuming FileDescriptor) { self.file = file }
}

extension ImageStore {
    /// Takes the lock of a step; nil while somebody else has it.
    ///
    /// - Parameter key: tells the step from all others. Two keys in some 2^62 share a lock, which costs a wait.
    public func stepLock(key: Digest) throws(StoreError) -> StepLock? {
        let path = root + "/steps.lock"
        let number = key.hex.utf8.prefix(15).reduce(UInt64(0)) { sum, digit in
            sum << 4 | UInt64(digit <= UInt8(ascii: "9") ? digit & 15 : digit &- 87)
        }
        return try attempting("lock \(path)") { () throws(Errno) -> StepLock? in
            let file = try FileDescriptor.open(path, [.readWrite, .create, .noFollow], mode: 0o600)
            return try file.lock(byte: number) ? StepLock(file) : nil
        }
    }
}
